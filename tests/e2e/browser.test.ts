import { afterAll, beforeAll } from 'bun:test'
import { embedTests } from './browser/embed.ts'
import { pageTests } from './browser/page.ts'
import { launch, quit } from './browser/support.ts'

// All in one file, because they share one browser.
beforeAll(launch, 60_000)
afterAll(quit)

pageTests()
embedTests()

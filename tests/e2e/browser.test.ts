import { afterAll, beforeAll } from 'bun:test'
import { accessibilityTests } from './browser/accessibility.ts'
import { adapterTests } from './browser/adapters.ts'
import { cardTests } from './browser/card.ts'
import { embedTests } from './browser/embed.ts'
import { eventTests } from './browser/events.ts'
import { frameTests } from './browser/frame.ts'
import { hostileTests } from './browser/hostile.ts'
import { lostTests } from './browser/lost.ts'
import { pageTests } from './browser/page.ts'
import { proxyTests } from './browser/proxy.ts'
import { steadyTests } from './browser/steady.ts'
import { launch, quit } from './browser/support.ts'

// All in one file, because they share one browser.
beforeAll(launch, 60_000)
afterAll(quit)

pageTests()
embedTests()
lostTests()
frameTests()
steadyTests()
eventTests()
hostileTests()
proxyTests()
accessibilityTests()
cardTests()
adapterTests()

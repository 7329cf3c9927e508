#!/usr/bin/env bun
import { join } from 'node:path'
import { startApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import type { Document } from './client-types/routes.ts'
import { clientTypes } from './client-types/write.ts'

const FILE = join(import.meta.dir, '../src/client.d.ts')

/** `bun run client-types`: writes src/client.d.ts anew from the API document of a running Exoix. */
const config = { ...readConfig({}), host: '127.0.0.1', port: 0, databasePath: ':memory:', logLevel: 'silent' as const }
const app = startApp(config)
const document = (await (await fetch(`${app.url}/swagger/json`)).json()) as Document
await Bun.write(FILE, clientTypes(document))
await app.stop()

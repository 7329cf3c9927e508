import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Keys } from '../../src/domain/keys.ts'
import { createLog } from '../../src/lib/log.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { temporaryFolder } from '../support/executable.ts'
import { issueKey } from '../support/keys.ts'
import { type Figures, hold, runDrill } from './support/drill.ts'
import { type ExoixProcess, settings, startExoix } from './support/exoix-process.ts'

export interface DiskOptions {
  readonly rounds: number
  readonly seed: number
}

const PEOPLE = Array.from({ length: 40 }, (_, at) => String(100_000_000_000_000_000n + BigInt(at)))
const [WRITER = ''] = PEOPLE
const VALUE = 'v'.repeat(20_000)

/**
 * What disks do: they are full, the file is moved away, its lock is removed, a byte of it flips. Reads go on, every write
 * answered with 204 is there afterwards, everything else was refused with 503, and nothing has to be done by hand when
 * the disk is well again.
 */
export async function diskDrill({ rounds, seed }: DiskOptions): Promise<Figures> {
  using folder = temporaryFolder()
  const disk = join(folder.path, 'disk')
  mkdirSync(disk)
  const isSmall = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]).success
  const simulator = await startSimulator({ identifyIntervalMs: 0 })
  simulator.world.addGuild({ members: PEOPLE.map(id => ({ user: { id, username: `name-of-${id}` } })) })
  const patient = new Patient(join(disk, 'exoix.db'), simulator, seed)
  try {
    for (let round = 0; round < rounds; round++) await patient.suffer(round, isSmall)
    return patient.figures(rounds, isSmall)
  } finally {
    await patient.stop()
    await simulator.stop()
    if (isSmall) Bun.spawnSync(['umount', '-l', disk])
  }
}

/** A server whose disk has a bad day. */
class Patient {
  readonly #file: string
  readonly #simulator: Simulator
  readonly #kept = new Map<string, string>()
  readonly #key: Promise<string>
  #running: ExoixProcess | null = null
  #writes = 0
  #acknowledged = 0
  #refused = 0
  #reads = 0
  #random: number

  constructor(file: string, simulator: Simulator, seed: number) {
    this.#file = file
    this.#simulator = simulator
    this.#random = seed
    this.#key = this.#makeKey()
  }

  async suffer(round: number, canBeFull: boolean): Promise<void> {
    await this.#start()
    await this.#write(3)
    if (canBeFull) await this.#whileFull()
    await this.#whileAway()
    rmSync(`${this.#file}.lock`)
    await this.#mustWrite('after its lock was removed')
    if (round % 2 === 0) this.#running?.kill('SIGKILL')
    else this.#running?.kill('SIGTERM')
    await this.#running?.exited
    this.#running = null
    if (round % 2 === 1) await this.#withFlippedByte()
  }

  figures(rounds: number, canBeFull: boolean): Figures {
    return {
      rounds,
      'full disks': canBeFull ? rounds : 'not possible here',
      'writes answered with 204, all kept': this.#acknowledged,
      'writes refused with 503': this.#refused,
      'reads meanwhile, all answered': this.#reads,
    }
  }

  async stop(): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]()
  }

  async #makeKey(): Promise<string> {
    const store = openStore(this.#file, { log: createLog({ level: 'silent', format: 'text' }) })
    const key = await issueKey(new Keys(store), WRITER)
    await store.close()
    return key
  }

  async #start(): Promise<void> {
    await this.#key
    const env = settings(this.#simulator, { DATABASE_PATH: this.#file })
    this.#running = await startExoix({ folder: join(this.#file, '..'), env })
    await this.#running.says(/all members are known/)
    await this.#compare()
  }

  async #whileFull(): Promise<void> {
    const filler = join(this.#file, '../filler')
    writeFileSync(filler, '')
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(4096), { flag: 'a' })
    } catch {
      // It is full.
    }
    const before = this.#refused
    await this.#write(5)
    hold(this.#refused > before, 'a full disk kept what it had no room for')
    await this.#compare()
    rmSync(filler)
    await this.#mustWrite('when there was room again')
  }

  async #whileAway(): Promise<void> {
    renameSync(this.#file, `${this.#file}.away`)
    const before = this.#acknowledged
    await this.#write(3)
    hold(this.#acknowledged === before, 'a write was acknowledged that went into a file nobody will open')
    await this.#compare()
    renameSync(`${this.#file}.away`, this.#file)
    await this.#mustWrite('when the file was back')
  }

  /** One byte of a saved person: that costs nobody else anything, and the person only until Discord tells of them again. */
  async #withFlippedByte(): Promise<void> {
    const bytes = readFileSync(this.#file)
    const name = `"username":"name-of-${PEOPLE[1 + this.#below(PEOPLE.length - 1)]}"`
    const at = bytes.indexOf(name)
    hold(at !== -1, `${name} was not saved`)
    bytes.writeUInt8(0x07, at + this.#below(name.length))
    writeFileSync(this.#file, bytes)
    await this.#start()
    hold(this.#running?.output().includes('damaged') === true, 'nothing was said of a damaged row')
    this.#running?.kill('SIGTERM')
    await this.#running?.exited
    this.#running = null
  }

  async #write(times: number): Promise<void> {
    const authorization = await this.#key
    for (let at = 0; at < times; at++) {
      const [key, value] = [`k${this.#below(20)}`, `${++this.#writes}${VALUE}`]
      const url = `${this.#running?.url}/v1/users/@me/kv/${key}`
      const { status } = await fetch(url, { method: 'PUT', body: value, headers: { authorization } })
      hold(status === 204 || status === 503, `a write was answered ${status}`)
      if (status === 204) this.#kept.set(key, value)
      if (status === 204) this.#acknowledged++
      else this.#refused++
    }
  }

  async #mustWrite(when: string): Promise<void> {
    const before = this.#refused
    await this.#write(2)
    hold(this.#refused === before, `writes are still refused ${when}`)
    await this.#compare()
  }

  /** Everybody is served, and the pairs are exactly those that were acknowledged. */
  async #compare(): Promise<void> {
    for (const id of PEOPLE) {
      const answer = await fetch(`${this.#running?.url}/v1/users/${id}`)
      hold(answer.status === 200, `a read was answered ${answer.status}`)
      const { data } = (await answer.json()) as { data: { kv: object; discord_user: { id: string } } }
      hold(data.discord_user.id === id, 'somebody was answered as somebody else')
      this.#reads++
      if (id === WRITER)
        hold(Bun.deepEquals(data.kv, Object.fromEntries(this.#kept)), 'pairs are not those acknowledged')
    }
  }

  #below(bound: number): number {
    this.#random = (Math.imul(this.#random, 1_103_515_245) + 12_345) >>> 0
    return (this.#random >>> 8) % bound
  }
}

if (import.meta.main) await runDrill('disk', ({ long, seed }) => diskDrill({ rounds: long ? 40 : 4, seed }))

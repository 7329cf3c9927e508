import { ApiError } from '../domain/errors.ts'
import { type Github, GithubProblem, type Proof } from '../domain/github.ts'
import { describeError, type Log } from '../lib/log.ts'
import { type CommandContext, type CommandGroup, invocation, sendQuietly } from './command.ts'
import { code, plural } from './reply.ts'
import { type Sender, UndeliveredError } from './sender.ts'

export interface GithubCommandDeps {
  readonly github: Github
  readonly sender: Sender
  readonly log: Log
}

/** `.github connect|verify|disconnect` and their slash twins. */
export function githubCommands(deps: GithubCommandDeps): CommandGroup {
  const { github } = deps
  return {
    title: 'GitHub',
    groups: { github: 'Your GitHub account, shown with your presence' },
    commands: [
      {
        names: ['github connect'],
        slash: 'github connect',
        summary: 'shows your GitHub account with your presence',
        options: [{ name: 'username', description: 'Your name at GitHub', kind: 'word', maxLength: 100 }],
        run: context => answering(deps, context, () => connect(deps, context)),
      },
      {
        names: ['github verify'],
        slash: 'github verify',
        summary: 'proves that the account is yours',
        options: [],
        run: context => answering(deps, context, () => verify(deps, context)),
      },
      {
        names: ['github disconnect'],
        slash: 'github disconnect',
        summary: 'forgets your GitHub account',
        options: [],
        async run(context) {
          const login = github.login(context.userId)
          const linked = await github.disconnect(context.userId)
          const name = login === undefined ? '' : ` ${code(login)}`
          await context.reply(linked ? `Your GitHub account${name} is forgotten.` : 'No GitHub account was connected.')
        },
      },
    ],
  }
}

async function answering(deps: GithubCommandDeps, context: CommandContext, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof GithubProblem)) throw error
    if (error.reason === 'waiting') await tellPrivately(deps, context, explain(error, context))
    else await context.reply(explain(error, context))
  }
}

async function connect(deps: GithubCommandDeps, context: CommandContext): Promise<void> {
  const proof = await deps.github.connect(context.userId, context.text('username') ?? '')
  if (proof.kind === 'code') return context.reply(codeInstructions(proof, context))
  const told = await tellPrivately(deps, context, deviceInstructions(proof))
  if (told) void report(deps, context, proof.linked)
}

async function verify({ github }: GithubCommandDeps, context: CommandContext): Promise<void> {
  try {
    await context.reply(linkedText(await github.verify(context.userId)))
  } catch (error) {
    const login = github.login(context.userId)
    if (login === undefined || !(error instanceof GithubProblem) || error.reason !== 'nothing asked') throw error
    await context.reply(linkedText(login))
  }
}

/** The code to sign in with is for one person's eyes: whoever enters it gives their account away. */
async function tellPrivately({ sender }: GithubCommandDeps, context: CommandContext, text: string): Promise<boolean> {
  if (context.private) {
    await context.reply(text)
    return true
  }
  try {
    await sender.toPerson(context.userId, text)
  } catch (error) {
    if (!(error instanceof UndeliveredError) || error.reason !== 'closed') throw error
    await context.reply(
      'I cannot send you direct messages. Allow them from members of this server, or use `/github connect`.',
    )
    return false
  }
  await context.reply('What to do now is in your direct messages.')
  return true
}

/** Says by direct message how signing in ended. */
async function report(
  { sender, log }: GithubCommandDeps,
  context: CommandContext,
  linked: Promise<string>,
): Promise<void> {
  const text = await linked.then(linkedText, error => outcome(error, context, log))
  if (text !== null) await sendQuietly(reply => sender.toPerson(context.userId, reply), text)
}

/** Null when the person knows already. */
function outcome(error: unknown, context: CommandContext, log: Log): string | null {
  if (error instanceof GithubProblem) return error.reason === 'replaced' ? null : explain(error, context)
  if (error instanceof ApiError) return error.message
  log.error('an account could not be linked', { error: describeError(error) })
  return 'Something went wrong on our side; nothing was linked.'
}

const linkedText = (login: string) => `Your GitHub account ${code(login)} is connected.`

function codeInstructions(
  { login, code: secret, page, minutes }: Proof & { kind: 'code' },
  context: CommandContext,
): string {
  const verifying = code(invocation(context, 'github verify', 'github verify'))
  return `To prove that ${code(login)} is yours, write this into the bio of <${page}> or into a public gist of that account:
\`\`\`
${secret}
\`\`\`
Then send ${verifying} within ${plural(minutes, 'minute')}. Once it is connected you can take the code out again.`
}

function deviceInstructions({ code: userCode, page, minutes }: Proof & { kind: 'device' }): string {
  return `Open <${page}>, sign in to the account you want to connect, and enter ${code(userCode)} there within ${plural(minutes, 'minute')}. I will send you a direct message when it is done. I get to see who you are and nothing else, and keep no access.
Never enter such a code when you did not ask for it.`
}

function explain({ reason, details }: GithubProblem, context: CommandContext): string {
  const { login = '', seconds = 60, code: secret = '', page = '' } = details
  const again = `${invocation(context, 'github connect', 'github connect')}`
  const later = `Try again in ${plural(Math.ceil(seconds / 60), 'minute')}`
  switch (reason) {
    case 'bad name':
      return `That is not what a GitHub username looks like. Yours is in the address of your profile: ${code('github.com/<username>')}`
    case 'no such account':
      return `GitHub has no account called ${code(login)}.`
    case 'too many tries':
      return `You have tried that often enough for now. ${later}.`
    case 'rate limited':
      return `GitHub takes no more questions from me at the moment. ${later}; nothing was changed.`
    case 'outage':
      return 'GitHub does not answer as it should at the moment. Try again in a few minutes; nothing was changed.'
    case 'refused':
      return 'GitHub refuses to work with me, which only whoever runs this bot can mend. Nothing was changed.'
    case 'nothing asked':
      return `There is nothing to verify. Start with ${code(`${again} <username>`)}`
    case 'expired':
      return `That code has expired. Get a new one with ${code(`${again} <username>`)}`
    case 'code not found':
      return `I found the code neither in the bio of ${code(login)} nor in its latest public gists. It must stand there exactly like this, as a word of its own:
\`\`\`
${secret}
\`\`\`
If that account is not yours, connect the one that is.`
    case 'waiting':
      return `GitHub is waiting for you: enter ${code(secret)} at <${page}>`
    case 'denied':
      return `You refused it at GitHub, so nothing was connected. ${code(`${again} <username>`)} asks again.`
    case 'other account':
      return `You signed in to GitHub as ${code(login)}, which is not the account you named. Nothing was connected; if you want that one, send ${code(`${again} ${login}`)}`
    case 'replaced':
      return 'You asked for something else meanwhile; nothing was connected.'
  }
}

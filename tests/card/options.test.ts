import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type CardOptions, readOptions } from '../../src/card/options.ts'

const DEFAULTS = readOptions('')

describe('what a card is asked for', () => {
  test('is this when nothing is said', () => {
    expect(DEFAULTS).toEqual({
      theme: 'dark',
      background: undefined,
      tagBackground: undefined,
      radius: 12,
      gradient: undefined,
      forceGradient: false,
      wave: undefined,
      spotifyWave: undefined,
      waveDuration: 8000,
      imageStyle: 'circle',
      imageRadius: 8,
      banner: 'hidden',
      bannerFilter: undefined,
      animated: true,
      animatedDecoration: true,
      idleMessage: undefined,
      showDisplayName: true,
      hideStatus: false,
      hideTimestamp: false,
      hideBadges: false,
      hideProfile: false,
      hideActivity: false,
      hideSpotify: false,
      hideDiscrim: false,
      hideDecoration: false,
      hideTag: false,
      hideNameplate: false,
      ignoredApplications: [],
    })
  })

  test.each<[string, Partial<CardOptions>]>([
    ['theme=light', { theme: 'light' }],
    ['bg=1E2030', { background: '#1e2030' }],
    ['bg=fff', { background: '#ffffff', theme: 'light' }],
    ['bg=fff&theme=dark', { background: '#ffffff', theme: 'dark' }],
    ['bg=0000', { background: '#00000000' }],
    ['bg=12345678', { background: '#12345678' }],
    ['clanBackgroundColor=5865f2', { tagBackground: '#5865f2' }],
    ['borderRadius=30px', { radius: 30 }],
    ['borderRadius=0', { radius: 0 }],
    ['borderRadius=7.5px', { radius: 7.5 }],
    ['borderRadius=999px', { radius: 50 }],
    ['animated=false', { animated: false }],
    ['idleMessage=Out%20walking', { idleMessage: 'Out walking' }],
    ['idleMessage=Out+walking', { idleMessage: 'Out walking' }],
    ['idleMessage=%F0%9F%8C%B1', { idleMessage: '🌱' }],
    ['showDisplayName=false', { showDisplayName: false }],
    ['hideStatus=true&hideTimestamp=true&hideBadges=true', { hideStatus: true, hideTimestamp: true, hideBadges: true }],
    ['hideProfile=true&hideSpotify=true&hideDiscrim=true', { hideProfile: true, hideSpotify: true, hideDiscrim: true }],
    ['hideActivity=true', { hideActivity: true }],
    ['hideActivity=whenNotUsed', { hideActivity: 'whenNotUsed' }],
    ['hideDecoration=true', { hideDecoration: true }],
    ['hideTag=true', { hideTag: true }],
    ['hideClan=true', { hideTag: true }],
    ['hideClan=true&hideTag=false', { hideTag: false }],
    ['theme=tokyo-night', { theme: 'tokyo-night' }],
    ['theme=auto', { theme: 'auto' }],
    ['bg=transparent', { background: '#00000000' }],
    ['clanbg=5865f2', { tagBackground: '#5865f2' }],
    ['clanbg=111111&clanBackgroundColor=222222', { tagBackground: '#222222' }],
    ['useDisplayName=false', { showDisplayName: false }],
    ['gradient=F1099A-b742b1', { gradient: ['#f1099a', '#b742b1'] }],
    ['gradient=fff', { gradient: ['#ffffff'] }],
    ['forceGradient=true', { forceGradient: true }],
    ['waveColor=7289DA', { wave: { colour: '#7289da', ground: undefined } }],
    ['waveSpotifyColor=FF597B-light', { spotifyWave: { colour: '#ff597b', ground: 'light' } }],
    ['waveColor=transparent', { wave: undefined }],
    ['animationDuration=4s', { waveDuration: 4000 }],
    ['animationDuration=250ms', { waveDuration: 250 }],
    ['animationDuration=0s', { waveDuration: 0 }],
    ['imgStyle=square&imgBorderRadius=10px', { imageStyle: 'square', imageRadius: 10 }],
    ['showBanner=true', { banner: 'still' }],
    ['showBanner=animated', { banner: 'animated' }],
    ['bannerFilter=brightness(0.8)%20blur(2px)', { bannerFilter: 'brightness(0.8) blur(2px)' }],
    ['bannerFilter=hue-rotate(-90deg)+sepia(40%25)', { bannerFilter: 'hue-rotate(-90deg) sepia(40%)' }],
    ['animatedDecoration=false&hideNameplate=true', { animatedDecoration: false, hideNameplate: true }],
    ['ignoreAppId=2,%201,x,,2', { ignoredApplications: ['1', '2'] }],
  ])('%s', (query, options) => {
    expect(readOptions(query)).toEqual({ ...DEFAULTS, ...options })
  })

  test.each([
    'theme=blue',
    'theme=constructor',
    'gradient=',
    'gradient=red-blue',
    'gradient=fff-',
    'gradient=fff-url(%23x)',
    `gradient=${Array(13).fill('fff').join('-')}`,
    'forceGradient=1',
    'waveColor=7289DA-bright',
    'waveColor=12345',
    'waveSpotifyColor=fff;}',
    'animationDuration=8',
    'animationDuration=-1s',
    'animationDuration=61s',
    'animationDuration=1e3s',
    'imgStyle=triangle',
    'imgBorderRadius=50%25',
    'showBanner=1',
    'bannerFilter=',
    'bannerFilter=url(https://evil.example/x.svg%23f)',
    'bannerFilter=blur(2px);color:red',
    'bannerFilter=blur(calc(2px))',
    'bannerFilter=drop-shadow(0+0+2px+red)',
    'bannerFilter=constructor(1)',
    'bannerFilter=brightness(var(--x))',
    `bannerFilter=${Array(9).fill('sepia(1)').join('+')}`,
    'theme=DARK%22%3E',
    'bg=red',
    'bg=%23fff',
    'bg=url(https://evil.example)',
    'bg=12345',
    'bg=fff%22%3E%3Cscript%3E',
    'clanBackgroundColor=var(--x)',
    'borderRadius=-5',
    'borderRadius=1e9',
    'borderRadius=5rem',
    'borderRadius=calc(1px)',
    'borderRadius=%00',
    'animated=yes',
    'animated=',
    'idleMessage=',
    'idleMessage=%00%01%02',
    'idleMessage=%20%20',
    'hideStatus=1',
    'hideActivity=never',
    'ignoreAppId=%3Cscript%3E',
    'unknown=true',
    '__proto__=true&constructor=true',
    '%',
    '&&=&=',
  ])('%s counts as not said', query => {
    expect(readOptions(query)).toEqual(DEFAULTS)
  })

  test('is what was said first when it was said twice', () => {
    expect(readOptions('theme=light&theme=dark').theme).toBe('light')
    expect(readOptions('theme=wrong&theme=light').theme).toBe('dark')
  })

  test('is short however much was said', () => {
    const { idleMessage, ignoredApplications } = readOptions(
      `idleMessage=${'x'.repeat(1_000_000)}&ignoreAppId=${'1,2,'.repeat(100_000)}`,
    )
    expect(idleMessage).toHaveLength(200)
    expect(ignoredApplications.length).toBeLessThanOrEqual(32)
  })

  test('is right in every field, whatever was said', () => {
    const query = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.string({ unit: 'binary' })))
    fc.assert(
      fc.property(query, pairs => {
        const options = readOptions(new URLSearchParams(pairs).toString())
        expect(Object.keys(options)).toEqual(Object.keys(DEFAULTS))
        expect(['dark', 'light']).toContain(options.theme)
        for (const colour of [options.background, options.tagBackground]) expect(colour ?? '#000000').toMatch(COLOUR)
        expect(options.radius >= 0 && options.radius <= 50).toBe(true)
        expect(options.idleMessage).not.toBe('')
      }),
    )
  })
})

const COLOUR = /^#([0-9a-f]{6}|[0-9a-f]{8})$/
const NAMES = ['theme', 'bg', 'clanBackgroundColor', 'borderRadius', 'idleMessage', 'hideActivity', 'ignoreAppId']

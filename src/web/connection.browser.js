// One socket to each host, shared by all who follow somebody there.

const FIRST_WAIT = 1000
const LONGEST_WAIT = 60_000
/** Ids in one message: the server takes 64 KiB. */
const AT_ONCE = 1000

const connections = new Map()

/**
 * Follows a person. `tell(state, presence)` hears `live` with a presence, `unknown` where nobody has the id, and `lost`
 * when the connection is. Returns what ends it.
 */
export function follow(home, id, tell) {
  const connection = connections.get(home) ?? connect(home, () => connections.delete(home))
  connections.set(home, connection)
  return connection.add(id, tell)
}

function connect(home, forget) {
  const followers = new Map()
  /** Ids the server has been asked for, those asked for in each message it has yet to answer, and what it said. */
  const asked = new Set()
  let pending = []
  const known = new Map()
  let socket
  let beat
  let retry
  let syncing = false
  let wait = FIRST_WAIT

  const send = (op, d) => socket.send(JSON.stringify({ op, d }))
  const address = new URL('socket', home).href.replace(/^http/, 'ws')

  function open() {
    clearTimeout(retry)
    const mine = attempt()
    if (!mine) return lost()
    socket = mine
    mine.onopen = sync
    mine.onmessage = ({ data }) => mine === socket && hear(JSON.parse(data))
    mine.onclose = () => mine === socket && lost()
  }

  /** A page with HTTPS may not even try to connect without. */
  function attempt() {
    try {
      return new WebSocket(address)
    } catch {
      return undefined
    }
  }

  function close() {
    clearTimeout(retry)
    clearInterval(beat)
    asked.clear()
    known.clear()
    pending = []
    const old = socket
    socket = undefined
    old?.close()
  }

  function lost() {
    close()
    for (const id of followers.keys()) tellAll(id, 'lost')
    // A random part keeps all the pages in the world from coming back at once.
    retry = setTimeout(open, wait / 2 + Math.random() * wait)
    wait = Math.min(wait * 2, LONGEST_WAIT)
  }

  function hear({ op, t, d }) {
    if (op === 1) {
      clearInterval(beat)
      beat = setInterval(() => send(3), d.heartbeat_interval)
    }
    if (t === 'INIT_STATE') {
      wait = FIRST_WAIT
      for (const id of pending.shift() ?? []) heard(id, Object.hasOwn(d, id) ? d[id] : undefined)
    }
    if (t === 'PRESENCE_UPDATE') heard(d.user_id, d)
  }

  function heard(id, presence) {
    if (!followers.has(id)) return
    known.set(id, presence)
    tellAll(id, presence ? 'live' : 'unknown', presence)
  }

  function tellAll(id, state, presence) {
    for (const tell of followers.get(id) ?? []) tell(state, presence)
  }

  /** Asks for whom somebody follows and ends what nobody follows any more. Late, so that many become one message. */
  function sync() {
    syncing = false
    if (followers.size === 0) {
      close()
      removeEventListener('online', back)
      document.removeEventListener('visibilitychange', look)
      return forget()
    }
    if (socket?.readyState !== WebSocket.OPEN) return
    const gone = [...asked].filter(id => !followers.has(id))
    const fresh = [...followers.keys()].filter(id => !asked.has(id))
    for (const id of gone) {
      asked.delete(id)
      known.delete(id)
    }
    for (const id of fresh) asked.add(id)
    while (gone.length > 0) send(4, { unsubscribe_from_ids: gone.splice(0, AT_ONCE) })
    while (fresh.length > 0) {
      const ids = fresh.splice(0, AT_ONCE)
      pending.push(ids)
      send(2, { subscribe_to_ids: ids })
    }
  }

  function later() {
    if (!syncing) setTimeout(sync)
    syncing = true
  }

  /** The network is back: whatever the old socket believes, it leads nowhere. */
  function back() {
    wait = FIRST_WAIT
    close()
    open()
  }

  function look() {
    if (!document.hidden && !socket) back()
  }

  function add(id, tell) {
    if (!followers.has(id)) followers.set(id, new Set())
    followers.get(id).add(tell)
    if (known.has(id)) tell(known.get(id) ? 'live' : 'unknown', known.get(id))
    later()
    return () => {
      const others = followers.get(id)
      others.delete(tell)
      if (others.size > 0) return
      followers.delete(id)
      later()
    }
  }

  addEventListener('online', back)
  document.addEventListener('visibilitychange', look)
  open()
  return { add }
}

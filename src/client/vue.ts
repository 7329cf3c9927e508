import { type MaybeRefOrGetter, onScopeDispose, type ShallowRef, shallowRef, toValue, watch } from 'vue'
import { type Following, type FollowOptions, follow } from './client.ts'
import { CONNECTING, type Followed, next } from './followed.ts'

/**
 * Somebody's presence in a Vue component: `const followed = usePresence(() => props.user, 'https://presence.example')`, then
 * `followed.presence` and `followed.state` in the template. Another id follows somebody else; none follows nobody.
 */
export function usePresence(
  id: MaybeRefOrGetter<string | undefined>,
  host?: string,
  compression?: FollowOptions['compression'],
): Readonly<ShallowRef<Followed>> {
  const followed = shallowRef(CONNECTING)
  let following: Following | undefined
  watch(
    () => toValue(id),
    user => {
      following?.close()
      followed.value = CONNECTING
      following =
        user === undefined
          ? undefined
          : follow(user, {
              host,
              compression,
              onPresence: presence => {
                followed.value = next(followed.value, { presence })
              },
              onState: state => {
                followed.value = next(followed.value, { state })
              },
            })
    },
    { immediate: true },
  )
  onScopeDispose(() => following?.close())
  return followed
}

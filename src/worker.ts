import { runServingThread } from './feed/serving-thread.ts'
import { serve } from './serve.ts'

declare const self: Worker

// What WORKERS asks for: a thread that serves what the main one owns.
runServingThread(self, deps => serve({ ...deps, reusePort: true }))

/** Each fault and what is promised under it, in the order in which the table tells them. */
export const FAULTS = {
  "backend killed (SIGKILL) at any step of a command":
    "on restart adopt by label or roll back; the retry finds one container",
  "backend ended (SIGTERM) in the middle of an operation":
    "finish or roll back within 10 s, then exit 0; containers keep running",
  "Docker daemon restarts": "re-listed; meanwhile ENGINE_UNAVAILABLE; containers, ports and data as they were",
  "Docker daemon killed (SIGKILL), host loses power": "what ran runs again, same ports, same files",
  "Docker daemon hangs": "deadlines; other users' commands and the heartbeat go on; no lock held for ever",
  "a reply of Docker is lost": "inspect before retry",
  "main server gone, half-open, or slow": "noticed in 45 s; containers untouched; back-off 1 to 30 s; full resync",
  "duplicate, late or reordered command": "same operationId, same outcome; a late create after a delete does nothing",
  "two backends with one key": "the newer one acts; the older stops and says so; no flapping",
  "main server's database restored from an old copy": "unknown containers are reported, never deleted",
  "disk full": "a clear CAPACITY, nothing half made",
  "port taken between check and bind": "the next triple, a bounded number of times",
  "port taken while its container was stopped":
    "moved with its data, or PORT_CONFLICT naming the holder; never silently without a port",
  "image missing and not to be had": "IMAGE_UNAVAILABLE before the deadline",
  "clock jumps": "nothing expires: monotonic timers",
  "container dies on start, or its sshd stays silent":
    "START_FAILED with the log's tail, SSH_NOT_READY; container and ports cleaned up",
  "fork bomb or memory hog in one instance": "neighbours and the heartbeat feel nothing",
  "docker rm or docker stop by hand": "reported as it is, not undone",
  "two backends on one Engine, or a copy made by hand": "each sees only its own",
  "Docker's event stream breaks": "re-subscribed, and a full re-list closes the gap",
  "several of these in a random order": "no container lost, duplicated or orphaned, no command without a reply",
} as const;

export type Fault = keyof typeof FAULTS;

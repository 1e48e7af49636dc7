import { setFlagsFromString } from "node:v8";

// V8 lets the space for new objects grow to 32 MiB under load, and seldom gives any of it back to a process that is never
// quite idle. What a command needs fits into the 2 MiB that it begins with, where collecting takes less than a
// millisecond. The flag is read whenever that space is about to grow, so it comes before everything that is imported.
setFlagsFromString("--semi-space-growth-factor=1");

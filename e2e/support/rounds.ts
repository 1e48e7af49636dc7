/** Whether there is time for all of it. */
export const isSoak = process.env.DOCKHOST_SOAK !== undefined;

/** How often, or how long, something is tried that chance or time has a part in: by `npm test`, and by `npm run soak`. */
export const rounds = (inTests: number, inSoak: number): number => (isSoak ? inSoak : inTests);

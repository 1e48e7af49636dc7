/** @typedef {(doing: string) => void} Announce Says what takes time, before it is done. */

/**
 * One step of the set-up: `work` answers how it ended, which is shown behind the step's name.
 * @param {string} name
 * @param {(announce: Announce) => Promise<string>} work
 */
export async function step(name, work) {
  const started = Date.now();
  const progress = progressLine();
  try {
    const outcome = await work(progress.announce);
    progress.end();
    console.log(`✓ ${name} (${outcome}${progress.announced() ? `, ${seconds(started)}` : ""})`);
  } catch (error) {
    progress.end();
    throw error;
  }
}

// On a terminal the seconds count up in the announced line, so that a long step is seen to live.
function progressLine() {
  const live = process.stdout.isTTY;
  /** @type {NodeJS.Timeout | undefined} */
  let ticking;
  let announced = false;

  /** @type {Announce} */
  const announce = (doing) => {
    end();
    announced = true;
    const started = Date.now();
    process.stdout.write(live ? `… ${doing}` : `… ${doing}\n`);
    if (live) ticking = setInterval(() => process.stdout.write(`\r… ${doing}, ${seconds(started)}`), 1000);
  };
  const end = () => {
    clearInterval(ticking);
    if (live && announced) process.stdout.write("\r\u001B[K");
  };
  return { announce, end, announced: () => announced };
}

/** @param {number} since */
const seconds = (since) => `${Math.round((Date.now() - since) / 1000)} s`;

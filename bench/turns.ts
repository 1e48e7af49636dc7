/**
 * Orders in which `count` ways take their turns: over all of them each way has each place equally often, and follows
 * each other way equally often, so that what one leaves behind is met by all the others alike (E. J. Williams, 1949).
 */
export function turns(count: number): number[][] {
  const first = zigzag(count);
  const shifted = Array.from({ length: count }, (_, by) => first.map((index) => (index + by) % count));
  // With an even number of ways that is balanced already; with an odd one only together with its mirror image.
  return count % 2 === 0 ? shifted : [...shifted, ...shifted.map((order) => order.toReversed())];
}

/** 0, 1, last, 2, last but one, …: each step between two neighbours has a length of its own. */
const zigzag = (count: number): number[] =>
  Array.from({ length: count }, (_, place) => (place % 2 === 1 ? (place + 1) / 2 : (count - place / 2) % count));

/** Resolves as `Promise.all` does, and rejects with the first failure, but only when all have ended: nothing of them goes on. */
export async function allEnded<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}

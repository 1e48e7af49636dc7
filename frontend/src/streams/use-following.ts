import { useLayoutEffect, useRef, useState, type RefObject } from "react";

/** So near its end, in CSS pixels, somebody is at it. */
const NEAR_PX = 8;

interface Following {
  box: RefObject<HTMLDivElement | null>;
  isFollowing: boolean;
  /** Goes to the end. */
  follow: () => void;
  pause: () => void;
  onScroll: () => void;
}

/** Keeps a box at the end of what grows in it, until somebody scrolls up. `content` and `look` are what its height hangs on. */
export function useFollowing(content: unknown, look: unknown): Following {
  const box = useRef<HTMLDivElement>(null);
  const [isFollowing, setFollowing] = useState(true);
  useLayoutEffect(() => {
    if (isFollowing && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [isFollowing, content, look]);
  const onScroll = (): void => {
    if (!box.current) return;
    const { scrollHeight, scrollTop, clientHeight } = box.current;
    setFollowing(scrollHeight - scrollTop - clientHeight <= NEAR_PX);
  };
  return { box, isFollowing, follow: () => setFollowing(true), pause: () => setFollowing(false), onScroll };
}

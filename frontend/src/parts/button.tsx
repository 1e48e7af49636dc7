import { Link, type LinkProps } from "@tanstack/react-router";
import type { ComponentProps, ReactNode } from "react";

export interface Look {
  kind?: "plain" | "primary" | "danger" | "quiet";
  size?: "small" | "normal";
}

const KINDS = {
  plain: "border border-edge bg-surface text-ink hover:bg-raised",
  primary: "border border-accent bg-accent text-accent-ink hover:opacity-90",
  danger: "border border-bad bg-surface text-bad hover:bg-bad hover:text-surface",
  quiet: "border border-transparent text-muted hover:bg-raised hover:text-ink",
};
const SIZES = { small: "min-h-8 px-2.5 text-sm", normal: "min-h-10 px-4" };

const classes = ({ kind = "plain", size = "normal" }: Look): string =>
  `inline-flex shrink-0 items-center justify-center gap-2 rounded-md font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-55 ${KINDS[kind]} ${SIZES[size]}`;

interface ButtonProps extends Look, ComponentProps<"button"> {
  /** What it began is under way: it says so, and cannot be pressed again. */
  busy?: boolean;
}

export function Button({ kind, size, busy = false, children, className = "", ...props }: ButtonProps) {
  return (
    <button
      type="button"
      {...props}
      disabled={props.disabled === true || busy}
      aria-busy={busy}
      className={`${classes({ ...(kind && { kind }), ...(size && { size }) })} ${className}`}
    >
      {busy && <Spinner />}
      {children}
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({ kind, size, children, ...props }: Look & LinkProps & { children: ReactNode }) {
  return (
    <Link {...props} className={classes({ ...(kind && { kind }), ...(size && { size }) })}>
      {children}
    </Link>
  );
}

export function Spinner() {
  return (
    <span
      aria-hidden
      className="inline-block size-3.5 shrink-0 animate-spin rounded-full border-2 border-current border-r-transparent"
    />
  );
}

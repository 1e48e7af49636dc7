import { useId, type ComponentProps, type ReactNode } from "react";

interface About {
  label: string;
  hint?: ReactNode;
  /** One sentence of what is wrong with what stands there. */
  error?: string | undefined;
}

const BOX =
  "w-full rounded-md border border-edge bg-surface px-3 text-ink placeholder:text-faint aria-invalid:border-bad disabled:opacity-60";

export function TextField({ label, hint, error, ...props }: About & ComponentProps<"input">) {
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(described) => <input {...props} {...described} className={`${BOX} min-h-10`} />}
    </Labelled>
  );
}

export function TextArea({ label, hint, error, className = "", ...props }: About & ComponentProps<"textarea">) {
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(described) => <textarea {...props} {...described} className={`${BOX} py-2 font-mono text-sm ${className}`} />}
    </Labelled>
  );
}

export function SelectField({ label, hint, error, children, ...props }: About & ComponentProps<"select">) {
  return (
    <Labelled label={label} hint={hint} error={error}>
      {(described) => (
        <select {...props} {...described} className={`${BOX} min-h-10`}>
          {children}
        </select>
      )}
    </Labelled>
  );
}

interface Described {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean;
}

function Labelled({ label, hint, error, children }: About & { children: (described: Described) => ReactNode }) {
  const id = useId();
  const [hintId, errorId] = [`${id}-hint`, `${id}-error`];
  const described = [hint !== undefined && hintId, error !== undefined && errorId].filter((one) => one !== false);
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": described.length > 0 ? described.join(" ") : undefined,
        "aria-invalid": error !== undefined,
      })}
      {hint !== undefined && (
        <p id={hintId} className="text-sm text-muted">
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p id={errorId} className="text-sm text-bad" aria-live="polite">
          {error}
        </p>
      )}
    </div>
  );
}

import { TextField } from "./field.tsx";

const PASSWORD_MIN = 8;

interface Typed {
  value: string;
  onChange: (typed: string) => void;
  error?: string | undefined;
}

export function UsernameField({ value, onChange, error }: Typed) {
  return (
    <TextField
      label="Username"
      value={value}
      autoComplete="username"
      autoCapitalize="none"
      spellCheck={false}
      required
      error={error}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

interface PasswordProps extends Typed {
  label: string;
  /** One that is chosen now, and so has to be long enough; `hint` says what else choosing it does. */
  isNew?: boolean;
  hint?: string;
}

export function PasswordField({ label, value, onChange, isNew = false, hint }: PasswordProps) {
  return (
    <TextField
      label={label}
      type="password"
      value={value}
      autoComplete={isNew ? "new-password" : "current-password"}
      required
      {...(isNew && { minLength: PASSWORD_MIN })}
      hint={isNew ? [`At least ${PASSWORD_MIN} characters.`, hint].filter(Boolean).join(" ") : hint}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

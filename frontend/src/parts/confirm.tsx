import { useState, type ReactNode } from "react";
import { useMutation } from "@tanstack/react-query";
import { Button, type Look } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { TextField } from "./field.tsx";
import { Failure } from "./note.tsx";

interface ConfirmProps extends Look {
  /** On the button that asks, and on the one that does it. */
  action: string;
  title: string;
  /** What will happen, in words. */
  children: ReactNode;
  /** What must be typed first, where it cannot be undone. */
  typed?: string;
  disabled?: boolean;
  run: () => Promise<unknown>;
  onDone?: () => void;
}

/** A button whose act is told in words before it is done. */
export function Confirm({ action, kind = "danger", size = "normal", disabled, ...asked }: ConfirmProps) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button kind={kind} size={size} disabled={disabled} onClick={() => setAsking(true)}>
        {action}
      </Button>
      {asking && <Question action={action} kind={kind} {...asked} onClose={() => setAsking(false)} />}
    </>
  );
}

interface QuestionProps extends Omit<ConfirmProps, "size" | "disabled"> {
  onClose: () => void;
}

function Question({ action, kind = "danger", title, children, typed, run, onDone, onClose }: QuestionProps) {
  const [text, setText] = useState("");
  const act = useMutation({
    mutationFn: run,
    onSuccess: () => {
      onClose();
      onDone?.();
    },
  });
  const allowed = typed === undefined || text.trim() === typed;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (allowed) act.mutate();
        }}
      >
        <div className="grid gap-2 text-muted">{children}</div>
        {typed !== undefined && (
          <TextField
            label={`Type “${typed}” to go on`}
            value={text}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setText(event.target.value)}
          />
        )}
        <Failure error={act.error} />
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind={kind} disabled={!allowed} busy={act.isPending}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

import { type ComponentProps, Fragment, isValidElement, useEffect, useMemo, useReducer, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useIsCodeFenceIncomplete } from "streamdown";
import { CopyButton } from "@/components/ui/copy-button";
import { colour, coloursReady, loadColours } from "./code-colours";

/** What the renderer makes of a fence: the element inside names the language and holds the code as one text. */
export function CodeBlock({ children }: ComponentProps<"pre">) {
  const growing = useIsCodeFenceIncomplete();
  const inner = isValidElement<ComponentProps<"code">>(children) ? children.props : null;
  // Markup that the model wrote itself may hold anything.
  if (typeof inner?.children !== "string")
    return <pre className="overflow-auto font-mono text-sm">{children}</pre>;
  const code = inner.children.replace(/\n+$/, "");
  const language = /language-(\S+)/.exec(inner.className ?? "")?.[1] ?? "";
  return <CodeFrame code={code} language={language} growing={growing} />;
}

type CodeFrameProps = { code: string; language: string; growing: boolean };

/**
 * Code with its language and a way to copy it. No piece has a style of its own: each piece of a reply draws a growing
 * block anew, and the web view keeps memory of every element that had a style with variables in it.
 */
function CodeFrame({ code, language, growing }: CodeFrameProps) {
  const { t } = useTranslation();
  const [loads, loadsMore] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (coloursReady(language)) return;
    let over = false;
    void loadColours(language).then(() => !over && loadsMore());
    return () => {
      over = true;
    };
  }, [language]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is drawn changes when a language has come
  const lines = useMemo(() => colour(code, language, growing), [code, language, growing, loads]);
  const body = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a longer code moves the end
  useEffect(() => {
    if (growing && atEnd.current && body.current) body.current.scrollTop = body.current.scrollHeight;
  }, [growing, code]);
  return (
    <div dir="ltr" className="my-3 overflow-hidden rounded-md border bg-card">
      <div className="flex h-8 items-center justify-between border-b pr-1 pl-3 text-xs text-muted-foreground">
        <span className="font-mono lowercase">{language}</span>
        <CopyButton label={t("copy.code")} text={() => code} className="size-7" />
      </div>
      <pre
        ref={body}
        onScroll={({ currentTarget: at }) => {
          atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < 24;
        }}
        className="max-h-[400px] overflow-auto px-3 py-2.5 font-mono text-sm leading-normal"
      >
        <code>
          {lines.map((line, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a text have no other identity
            <Fragment key={at}>
              {at > 0 ? "\n" : null}
              {line.map(({ kind, text }, place) =>
                kind === null ? (
                  text
                ) : (
                  // biome-ignore lint/suspicious/noArrayIndexKey: nor have their pieces
                  <span key={place} className={`code-${kind}`}>
                    {text}
                  </span>
                ),
              )}
            </Fragment>
          ))}
        </code>
      </pre>
    </div>
  );
}

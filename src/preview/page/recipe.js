// ---- The recipe's text, with errors and warnings at their places.

const recipe = (() => {
  const box = $("recipe"), general = $("recipe-findings"), badge = $("badge");
  let errors = 0;

  /// Splits a line into parts with classes: enough of TOML for easier reading.
  function parts(line, open) {
    const found = [];
    const rules = open
      ? [[new RegExp(`^[\\s\\S]*?${open}|^[\\s\\S]+`), "string"]]
      : [
        [/^#.*/, "comment"], [/^("""|''')/, "open"],
        [/^"(?:[^"\\]|\\.)*"?/, "string"], [/^'[^']*'?/, "string"],
        [/^\[\[?[^\]#"']*\]?\]?(?=\s*(?:#|$))/, "table"],
        [/^(?:[+-]?(?:0x[\da-f_]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)|true|false)(?![\w-])/i, "number-value"],
        [/^[\w-]+/, ""], [/^[^\w"'#[+-]+|^[\s\S]/u, ""],
      ];
    let rest = line;
    while (rest) {
      // A table's heading comes first on its line.
      const first = rest.length === line.trimStart().length;
      const [rule, kind] = rules.find(([rule, kind]) => (kind !== "table" || first) && rule.test(rest));
      let [text] = rest.match(rule);
      if (kind === "open") {
        const close = rest.indexOf(text, 3);
        if (close < 0) { found.push([rest, "string"]); return { found, open: text }; }
        text = rest.slice(0, close + 3);
        found.push([text, "string"]);
      } else {
        found.push([text, kind]);
      }
      if (open && text.endsWith(open)) {
        const after = parts(rest.slice(text.length), null);
        return { found: found.concat(after.found), open: after.open };
      }
      rest = rest.slice(text.length);
    }
    return { found, open };
  }

  /// Builds the spans of a line and marks the characters that findings concern. Columns count characters.
  function spans(found, marks) {
    const out = [];
    let column = 1;
    for (const [text, kind] of found) {
      let run = "", runMark = null;
      const flush = () => {
        if (run) out.push(make("span", [kind, runMark ? `mark ${runMark}` : ""].join(" ").trim(), run));
        run = "";
      };
      for (const character of text) {
        const mark = marks.find(({ from, to }) => column >= from && column < to)?.severity ?? null;
        if (mark !== runMark) { flush(); runMark = mark; }
        run += character;
        column++;
      }
      flush();
    }
    if (marks.some(({ from }) => from >= column)) out.push(make("span", `mark ${marks[0].severity}`, " "));
    return out;
  }

  function told(finding) {
    const element = make("div", `finding ${finding.severity}`);
    const expected = finding.expected ? `; expected ${finding.expected}` : "";
    element.append(make("div", "", `${finding.message}${expected}`));
    if (finding.hint) element.append(make("div", "hint", `hint: ${finding.hint}`));
    return element;
  }

  return {
    show({ name, text, findings }) {
      $("recipe-name").textContent = name;
      const here = findings.filter((finding) => finding.line !== null && finding.file === name);
      const elsewhere = findings.filter((finding) => !here.includes(finding));
      general.replaceChildren(...elsewhere.map((finding) => told({
        ...finding,
        message: finding.file === name ? finding.message : `${finding.file}${finding.line ? `:${finding.line}` : ""}: ${finding.message}`,
      })));
      let open = null;
      const rows = [];
      text.replace(/^\ufeff/, "").replace(/\n$/, "").split("\n").forEach((raw, index) => {
        const line = raw.replace(/\r$/, ""), number = index + 1;
        const marks = here.filter(({ line, end_line }) => line <= number && number <= (end_line ?? line)).map((finding) => ({
          severity: finding.severity,
          from: finding.line === number ? finding.column : 1,
          to: Math.max((finding.end_line ?? finding.line) === number ? finding.end_column : Infinity, finding.line === number ? finding.column + 1 : 1),
        }));
        const worst = marks.find((mark) => mark.severity === "error") ?? marks[0];
        const coloured = parts(line, open);
        open = coloured.open;
        const code = make("span", "code", "", ...spans(coloured.found, marks));
        if (!line) code.append("\u200b");
        rows.push(make("div", worst ? `row ${worst.severity}` : "row", "", make("span", "number", String(number)), code));
        for (const finding of here.filter((finding) => finding.line === number)) rows.push(told(finding));
      });
      box.replaceChildren(...rows);

      const before = errors;
      errors = findings.filter((finding) => finding.severity === "error").length;
      const warnings = findings.length - errors;
      badge.hidden = findings.length === 0;
      badge.textContent = errors || warnings;
      badge.classList.toggle("warning", errors === 0);
      badge.setAttribute("aria-label", errors ? `errors: ${errors}` : `warnings: ${warnings}`);
      // Show an error as soon as the recipe is saved, and the prompts again once it is fixed.
      if (errors && !before) {
        controls.tab("recipe");
        const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
        box.querySelector(".finding")?.scrollIntoView({ block: "nearest", behavior: reduced ? "auto" : "smooth" });
      } else if (!errors && before) {
        controls.tab(controls.chosenTab);
      }
    },
  };
})();


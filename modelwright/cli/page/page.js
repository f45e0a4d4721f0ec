"use strict";
(() => {
  const about = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children);
    return element;
  };
  const shown = (number) => String(Math.round(number * 1e6) / 1e6);
  const words = { number: "a number", integer: "a whole number", string: "a text", boolean: "true or false" };

  // What the page is about

  $("pipeline").textContent = about.pipeline;
  $("about-line").textContent = `The model of run ${about.run} · ${about.environment} · ${about.place}`;
  if (about.note) {
    $("note").textContent = about.note;
    $("note").hidden = false;
  }

  // The form: one field a column

  const hintOf = (field) => {
    const parts = [];
    if (field.range) parts.push(`training saw ${shown(field.range[0])} to ${shown(field.range[1])}`);
    if (field.open && field.options.length) parts.push("others are taken, too");
    if (field.missing) parts.push("may be left empty");
    return parts.join("; ");
  };

  const control = (field, id) => {
    const described = { id, name: field.name, "aria-describedby": `${id}-hint ${id}-wrong`, "data-column": field.name };
    if (field.options && !field.open) {
      const select = make("select", described);
      if (field.missing) select.append(make("option", { value: "" }, "(missing)"));
      for (const option of field.options) select.append(make("option", { value: option }, option));
      return [select];
    }
    if (field.options) {
      const list = make("datalist", { id: `${id}-list` });
      for (const option of field.options) list.append(make("option", { value: option }));
      return [make("input", { ...described, type: "text", list: `${id}-list`, autocomplete: "off" }), list];
    }
    const mode = field.type === "integer" ? "numeric" : "decimal";
    return [make("input", { ...described, type: "text", inputmode: mode, autocomplete: "off" })];
  };

  const controls = about.fields.map((field, index) => {
    const id = `field-${index}`;
    const parts = control(field, id);
    $("fields").append(make("div", { class: "field" },
      make("label", { for: id }, field.name, " ", make("span", { class: "kind" }, words[field.type])),
      ...parts,
      make("p", { class: "hint", id: `${id}-hint` }, hintOf(field)),
      make("p", { class: "wrong", id: `${id}-wrong`, hidden: true })));
    return { field, element: parts[0], wrong: $(`${id}-wrong`) };
  });

  const reset = () => {
    for (const { field, element } of controls) element.value = String(field.example);
    $("json").value = JSON.stringify(about.fields.length ? [rowOfForm()] : [{}], null, 2);
    clearProblems();
    drawCurl();
  };

  const plain = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?$/i;
  const valueOf = ({ field, element }) => {
    const text = element.value;
    if (field.type === "string") return text === "" && field.missing ? null : text;
    if (text.trim() === "") return null;
    if (field.type === "boolean") return text === "true";
    return plain.test(text.trim()) ? Number(text.trim()) : text; // what is no number goes as it is: the model says so
  };
  const rowOfForm = () => Object.fromEntries(controls.map((each) => [each.field.name, valueOf(each)]));
  const isForm = () => $("mode-form").checked;

  const rows = () => {
    if (isForm()) return [rowOfForm()];
    const found = JSON.parse($("json").value);
    const list = Array.isArray(found) ? found : found && Array.isArray(found.instances) ? found.instances : [found];
    if (!list.length) throw new SyntaxError("there are no rows");
    return list;
  };

  // What is wrong, beside its field

  const clearProblems = () => {
    $("problem").hidden = true;
    for (const { element, wrong } of controls) {
      element.removeAttribute("aria-invalid");
      wrong.hidden = true;
    }
    $("json").removeAttribute("aria-invalid");
  };

  const showProblems = (message, problems = []) => {
    const box = $("problem");
    const rest = [];
    let first = null;
    for (const problem of problems) {
      const found = isForm() && controls.find((each) => each.field.name === problem.column);
      if (!found) {
        rest.push(problem.message);
        continue;
      }
      found.element.setAttribute("aria-invalid", "true");
      found.wrong.textContent = problem.message.replace(/^row 1: /, "");
      found.wrong.hidden = false;
      first = first || found.element;
    }
    const count = problems.length - rest.length;
    const fields = count === 1 ? "1 field cannot be taken as it is." : `${count} fields cannot be taken as they are.`;
    const text = first ? fields : message;
    box.replaceChildren(make("strong", {}, text));
    if (rest.length) box.append(make("ul", {}, ...rest.map((line) => make("li", {}, line))));
    box.hidden = false;
    if (!isForm()) $("json").setAttribute("aria-invalid", "true");
    (first || box).focus();
  };

  // The answer

  const text = (value) => (value !== null && typeof value === "object" ? JSON.stringify(value) : String(value));

  const one = (prediction) => {
    const outputs = about.outputs;
    if (prediction === null || typeof prediction !== "object") return [make("p", { class: "label" }, text(prediction))];
    if (!outputs || outputs.form !== "records") {
      return [make("pre", { tabindex: "0" }, make("code", {}, JSON.stringify(prediction, null, 2)))];
    }
    const shares = Object.entries(prediction[outputs.probabilities] || {}).sort((a, b) => b[1] - a[1]);
    const bars = shares.map(([name, share]) => {
      const percent = `${(share * 100).toFixed(1)} %`;
      const fill = make("div", { class: "fill" });
      fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
      const line = make("div", { class: "line" }, make("span", {}, name), make("span", {}, percent));
      return make("li", {}, line, make("div", { class: "track", "aria-hidden": "true" }, fill));
    });
    return [
      make("p", { class: "label" }, text(prediction[outputs.label])),
      make("ul", { class: "bars", "aria-label": `Probabilities of ${outputs.label}` }, ...bars),
    ];
  };

  const several = (predictions) => {
    const outputs = about.outputs;
    const records = outputs && outputs.form === "records";
    const names = records ? outputs.labels.map(String) : [];
    const head = make("tr", {}, ...["row", records ? outputs.label : "prediction", ...names]
      .map((name) => make("th", { scope: "col" }, name)));
    const lines = predictions.map((prediction, index) => {
      const cells = records
        ? [prediction[outputs.label], ...names.map((name) => `${((prediction[outputs.probabilities] || {})[name] * 100).toFixed(1)} %`)]
        : [prediction];
      return make("tr", {}, make("th", { scope: "row" }, String(index + 1)), ...cells.map((cell) => make("td", {}, text(cell))));
    });
    return [make("div", { class: "wide" }, make("table", { class: "several" }, make("thead", {}, head), make("tbody", {}, ...lines)))];
  };

  const showAnswer = (found, milliseconds) => {
    const predictions = found && !Array.isArray(found) && "predictions" in found ? found.predictions : found;
    const parts = Array.isArray(predictions) && predictions.length === 1 ? one(predictions[0])
      : Array.isArray(predictions) ? several(predictions) : [make("p", { class: "label" }, text(predictions))];
    $("answer").replaceChildren(...parts, make("p", { class: "time" }, `answered in ${milliseconds} ms`));
  };

  const ask = async (sent) => {
    const answer = await fetch("predict", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ rows: sent }),
    });
    if (!answer.ok) return { status: answer.status, document: await answer.json(), milliseconds: 0 };
    return answer.json();
  };

  const submit = async () => {
    clearProblems();
    let sent;
    try {
      sent = rows();
    } catch (error) {
      showProblems(`This is not JSON: ${error.message}`);
      return;
    }
    $("submit").disabled = true;
    try {
      const found = await ask(sent);
      if (found.status >= 200 && found.status < 300) {
        showAnswer(found.document, found.milliseconds);
        return;
      }
      const said = found.document && found.document.message ? found.document.message : text(found.document);
      $("answer").replaceChildren(make("p", { class: "empty" }, found.status ? `Refused (${found.status}).` : "No answer."));
      showProblems(said, (found.document && found.document.problems) || []);
    } catch (error) {
      showProblems("The command that serves this page has ended: run modelwright open again.");
    } finally {
      $("submit").disabled = false;
    }
  };

  // curl

  const quoted = (value) => `'${value.replaceAll("'", "'\\''")}'`;
  const drawCurl = () => {
    let sent;
    try {
      sent = rows();
    } catch {
      sent = ["…"];
    }
    const command = `${about.curl.command} \\\n  -d ${quoted(JSON.stringify({ instances: sent }))} \\\n  ${quoted(about.curl.url)}`;
    $("curl").textContent = (about.curl.setup ? `${about.curl.setup}\n` : "") + command;
  };

  const copy = async () => {
    try {
      await navigator.clipboard.writeText($("curl").textContent);
      $("copied").textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren($("curl"));
      $("copied").textContent = "Selected: copy it with your keyboard.";
    }
  };

  const draw = () => {
    const form = isForm();
    $("fields").hidden = !form;
    $("rows").hidden = form;
    $("ask-title").textContent = form ? "A row" : "Rows";
    clearProblems();
    drawCurl();
  };

  const toJson = () => {
    $("json").value = JSON.stringify([rowOfForm()], null, 2);
  };

  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  $("ask").addEventListener("input", drawCurl);
  $("reset").addEventListener("click", reset);
  $("copy").addEventListener("click", copy);
  $("mode-form").addEventListener("change", draw);
  $("mode-json").addEventListener("change", () => {
    toJson();
    draw();
  });
  if (!about.fields.length) $("mode-form").disabled = true;
  (about.fields.length ? $("mode-form") : $("mode-json")).checked = true;
  reset();
  draw();
})();

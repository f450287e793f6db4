// What the tests ask of JupyterLab and Notebook 7, from inside the page. Each call answers at once; what takes time is
// started, and asked for with `state`.
window.front = (() => {
  const VIEW = "application/vnd.jupyter.widget-view+json";
  const tasks = [];

  const panel = () => {
    const open = window.jupyterapp ? [...window.jupyterapp.shell.widgets("main")] : [];
    return open.find((widget) => widget.sessionContext && widget.content?.widgets);
  };
  const cells = () => [...panel().content.model.cells];
  const outputs = (index) => cells()[index].outputs?.toJSON() ?? [];

  const start = (promise) => {
    const task = { state: "running" };
    Promise.resolve(promise).then(
      () => (task.state = "done"),
      (error) => (task.state = `failed: ${error}`),
    );
    return tasks.push(task) - 1;
  };
  const execute = (command) => start(window.jupyterapp.commands.execute(command));

  const isIdle = () => {
    const found = panel();
    return Boolean(
      found?.context.isReady &&
      found.sessionContext.isReady &&
      found.sessionContext.session?.kernel?.connectionStatus === "connected" &&
      found.sessionContext.session.kernel.status === "idle" &&
      cells().every((cell) => cell.type !== "code" || cell.executionState === "idle"),
    );
  };

  const widgets = () => {
    const wanted = cells().flatMap((_, index) => outputs(index).filter((output) => VIEW in (output.data ?? {})));
    const shown = panel().node.querySelectorAll(".jp-OutputArea-output > .jupyter-widgets");
    return { wanted: wanted.length, shown: shown.length };
  };

  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = parts(colour).slice(0, 3).map((part) => part / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return (parts(colour)[3] ?? 1) > 0.5 || !element.parentElement ? colour : behind(element.parentElement);
  };
  const contrast = (element) => {
    const [dark, bright] = [getComputedStyle(element).color, behind(element)].map(light).sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };

  return {
    isIdle,
    outputs,
    widgets,
    state: (task) => tasks[task].state,
    sources: () => cells().map((cell) => cell.sharedModel.getSource()),
    runAll: () => execute("notebook:run-all-cells"),
    save: () => start(panel().context.save()),
    restart: () => start(panel().sessionContext.restartKernel()),
    withoutSubshells: () => {
      panel().sessionContext.session.kernel.commsOverSubshells = "disabled";
    },
    theme: (name) => start(window.jupyterapp.commands.execute("apputils:change-theme", { theme: name })),
    isThemed: (light) =>
      document.body.dataset.jpThemeLight === String(light) && !document.getElementById("jupyterlab-splash"),
    append: (source) => {
      const at = cells().length;
      panel().content.model.sharedModel.insertCell(at, { cell_type: "code", source, metadata: { trusted: true } });
      return at;
    },
    run: (index) => {
      window.jupyterapp.shell.activateById(panel().id);
      panel().content.deselectAll();
      panel().content.activeCellIndex = index;
      return execute("notebook:run-cell");
    },
    // Everything that the front end knows of the widgets of this kernel, binary values as base64.
    models: async () => {
      const renderer = panel().content.rendermime.createRenderer(VIEW);
      const manager = await renderer._manager.promise;
      return JSON.stringify(await manager.get_state({ drop_defaults: false }));
    },
    // The name of what has the focus: the label of a field, the text of a button.
    focused: () => {
      const here = document.activeElement;
      return (here.labels?.[0] ?? here).textContent.trim();
    },
    // Fields without a name that a screen reader could say.
    unnamed: (within) =>
      [...document.querySelectorAll(`${within} :is(input:not([type=file]), select, textarea)`)]
        .filter((field) => !field.labels?.[0]?.textContent.trim())
        .map((field) => field.outerHTML.slice(0, 80)),
    // What reaches beyond an element to the right.
    tooWide: (within) => {
      const edge = document.querySelector(within).getBoundingClientRect().right + 1;
      return [...document.querySelectorAll(`${within} *`)]
        .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > edge)
        .map((each) => `${each.className} ${each.textContent}`.slice(0, 80));
    },
    // Words with less contrast than 4.5 to 1 (WCAG 2.1, 1.4.3), but for those that cannot be used now.
    tooFaint: (within) =>
      [...document.querySelectorAll(`${within} :is(label, button, input, select, textarea, .jig-text)`)]
        .filter((each) => each.checkVisibility() && !each.disabled && contrast(each) < 4.5)
        .map((each) => `${each.className} ${each.textContent}`.slice(0, 80)),
    // Resolves when an element has kept its place and size for five frames.
    settled: (element) =>
      new Promise((resolve) => {
        let before = "";
        let same = 0;
        const look = () => {
          const now = JSON.stringify(element.getBoundingClientRect());
          same = now === before ? same + 1 : 0;
          before = now;
          if (same >= 5) resolve();
          else requestAnimationFrame(look);
        };
        document.fonts.ready.then(look);
      }),
  };
})();

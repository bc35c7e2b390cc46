"use strict";
// Moves a target: all steps were judged beforehand and stand in the page, so that nothing is computed here.
for (const box of document.querySelectorAll(".move")) {
  const slider = box.querySelector("input");
  const cells = box.querySelectorAll("b");
  const [texts, steps] = [box.dataset.texts, box.dataset.steps].map(found => JSON.parse(found));
  const show = () => {
    const shown = steps[slider.value].map(place => texts[place]);
    cells.forEach((cell, i) => {
      cell.textContent = shown[i];
      cell.parentElement.hidden = !shown[i];
    });
    slider.setAttribute("aria-valuetext", shown[1]);
  };
  slider.addEventListener("input", show);
  box.hidden = false;
  show();
}

// Drives the pages of the built site in frames of different sizes, and writes what it finds into its own
// page: one line a finding, "ok …" or "FAILED …", and "end" when it came to its end. present_test.cmake
// starts a browser with it. window.kitTest = {site, decks, pages} says what there is to look at.
(async function () {
  'use strict';
  const { site, decks, pages } = window.kitTest;
  const result = document.getElementById('result');
  let failed = 0;

  function report(good, what) {
    if (!good) failed++;
    result.append((good ? 'ok ' : 'FAILED ') + what + '\n');
  }
  function equal(got, expected, what) {
    report(got === expected, what + (got === expected ? '' : ': expected ' + expected + ', got ' + got));
  }

  function open(page, width, height) {
    for (const frame of document.querySelectorAll('iframe')) frame.remove();
    return new Promise(resolve => {
      const frame = document.createElement('iframe');
      frame.style.cssText = `border:0;width:${width}px;height:${height}px`;
      frame.onload = () => resolve(frame.contentWindow);
      frame.src = site + '/' + page;
      document.body.append(frame);
    });
  }
  function press(page, ...keys) {
    for (const key of keys) {
      page.document.body.dispatchEvent(new page.KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    }
  }
  const has = (page, name) => page.document.body.classList.contains(name);
  const slides = page => [...page.document.querySelectorAll('section.slide')];
  const current = page => slides(page).findIndex(slide => slide.classList.contains('current')) + 1;
  const visible = node => node.getClientRects().length > 0;

  function swipe(page, from, to) {
    const touch = x => new page.Touch({ identifier: 1, target: page.document.body, clientX: x, clientY: 300 });
    const send = (type, touches, changed) => page.document.body.dispatchEvent(new page.TouchEvent(type, {
      touches, changedTouches: changed, bubbles: true
    }));
    send('touchstart', [touch(from)], [touch(from)]);
    send('touchend', [], [touch(to)]);
  }

  async function keys(deck) {
    const page = await open(deck.page, 1280, 720);
    const count = slides(page).length;
    equal(count, deck.slides, deck.page + ' is cut into its slides');
    report(!has(page, 'showing'), 'the page is a page until somebody presents it');
    press(page, 'p');
    report(has(page, 'showing'), 'P presents');
    equal(current(page), 1, 'from the first slide');
    equal(page.document.querySelector('.slide-number').textContent, '1 / ' + count, 'with its number');
    equal(page.document.querySelector('.minutes-left').textContent, deck.minutes + ' min left', 'and the minutes left');
    equal(slides(page).filter(visible).length, 1, 'one slide is seen at a time');
    press(page, 'ArrowRight');
    equal(current(page), 2, '→ shows the next slide');
    equal(page.location.hash, '#slide-2', 'and the address is the slide\'s own');
    press(page, ' ');
    equal(current(page), 3, 'so does Space');
    press(page, 'PageDown', 'PageUp', 'ArrowLeft');
    equal(current(page), 2, 'PageUp and ← go back');
    press(page, 'End');
    equal(current(page), count, 'End shows the last slide');
    press(page, 'ArrowRight');
    equal(current(page), count, 'after which there is none');
    press(page, 'Home', 'ArrowLeft');
    equal(current(page), 1, 'Home shows the first');

    const notes = page.document.getElementById('show-notes');
    report(!visible(notes), 'the notes are hidden');
    press(page, 'n');
    report(visible(notes), 'N shows them');
    report(/This slide: \d+ min/.test(notes.textContent), 'with the minutes of the slide');
    report(notes.textContent.length > 60, 'and what to do with it');
    press(page, 'n');
    report(!visible(notes), 'N hides them');

    press(page, 'o');
    equal(slides(page).filter(visible).length, count, 'O shows all slides');
    press(page, 'ArrowRight', 'ArrowRight', 'Enter');
    equal(current(page), 3, 'from which one is chosen');
    equal(slides(page).filter(visible).length, 1, 'and shown alone');

    press(page, 'b');
    report(has(page, 'black'), 'B makes the screen black');
    press(page, 'ArrowRight');
    report(!has(page, 'black') && current(page) === 3, 'and any key brings the same slide back');

    swipe(page, 800, 300);
    equal(current(page), 4, 'a swipe to the left shows the next slide');
    swipe(page, 300, 800);
    equal(current(page), 3, 'and one to the right the slide before');

    const background = () => page.getComputedStyle(page.document.body).backgroundColor;
    const before = background();
    press(page, 't');
    report(background() !== before, 'T changes between light and dark');
    press(page, 't');
    equal(background(), before, 'and back');
    press(page, '?');
    report(visible(page.document.getElementById('show-help')), '? lists the keys');
    press(page, 'Escape', 'Escape');
    report(!has(page, 'showing'), 'Esc goes back to the page');
    report(slides(page).every(visible), 'where every slide can be read');

    page.postMessage({ kitSlide: 4 }, '*');
    await new Promise(resolve => setTimeout(resolve, 100));
    equal(current(page), 5, 'a window beside this one leads it to a slide');

    const linked = await open(deck.page + '#slide-3', 1280, 720);
    report(has(linked, 'showing') && current(linked) === 3, 'the address of a slide shows that slide');
  }

  // Nothing of a slide may leave it. The slide must be the one shown: the others have no layout.
  function overflow(page, deck, size, stage, i) {
    const slide = slides(page)[i];
    const where = `${deck.page}#slide-${i + 1} at ${size}`;
    const findings = [];
    if (slide.scrollHeight > slide.clientHeight + 1) {
      findings.push(`${slide.scrollHeight - slide.clientHeight} pixels too high`);
    }
    if (slide.scrollWidth > slide.clientWidth + 1) findings.push('too wide');
    const bottom = stage - page.document.getElementById('show-bar').offsetHeight - 2;
    const heading = slide.querySelector('h1, h2').getBoundingClientRect();
    for (const node of slide.querySelectorAll('.slide-body *, h1, h2')) {
      if (!visible(node)) continue;
      const box = node.getBoundingClientRect();
      if (node.closest('.slide-body') && box.top < heading.bottom - 1) findings.push('text over the heading');
      if (box.bottom > bottom + 1 || box.right > page.innerWidth + 1 || box.top < 0 || box.left < 0) {
        findings.push(`<${node.tagName.toLowerCase()}> leaves it: ${node.textContent.trim().slice(0, 30)}`);
        break;
      }
    }
    for (const fragment of slide.querySelectorAll('.fragment')) {
      if (fragment.scrollWidth > fragment.clientWidth + 1) findings.push('a line of code is cut');
      const pixels = parseFloat(page.getComputedStyle(fragment).fontSize);
      if (pixels < stage / 34) findings.push(`code of ${pixels.toFixed(1)} pixels`);
    }
    for (const picture of slide.querySelectorAll('img')) {
      if (!picture.naturalWidth) findings.push(picture.getAttribute('src') + ' does not show');
      else if (picture.clientHeight < stage / 3) findings.push(picture.getAttribute('src') + ' is too small');
    }
    if (findings.length) report(false, where + ': ' + findings.join('; '));
  }

  async function fits(deck) {
    const before = failed;
    for (const [width, height] of [[1280, 720], [1920, 1080]]) {
      const page = await open(deck.page, width, height);
      press(page, 'p');
      for (let i = 0; i < slides(page).length; i++) {
        press(page, i === 0 ? 'Home' : 'ArrowRight');
        overflow(page, deck, width + '×' + height, height, i);
      }
    }
    const phone = await open(deck.page, 390, 844);
    press(phone, 'p');
    for (let i = 0; i < slides(phone).length; i++) {
      press(phone, i === 0 ? 'Home' : 'ArrowRight');
      const slide = slides(phone)[i];
      if (slide.scrollWidth > slide.clientWidth + 1) {
        report(false, `${deck.page}#slide-${i + 1} on a phone: ${slide.scrollWidth} pixels wide`);
      }
    }
    if (failed === before) report(true, deck.page + ' fits its slides at 1280×720, 1920×1080 and on a phone');
  }

  // Pages on a phone: nothing makes the whole page scroll sideways.
  async function phones() {
    for (const name of pages) {
      const page = await open(name, 390, 844);
      const width = page.document.documentElement.scrollWidth;
      report(width <= 390, `${name} on a phone${width <= 390 ? '' : ' is ' + width + ' pixels wide'}`);
    }
  }

  async function search() {
    const page = await open('index.html', 1280, 720);
    const field = page.document.getElementById('search');
    field.focus();
    await new Promise(resolve => {
      field.value = 'server_bind';
      const ask = () => {
        field.dispatchEvent(new page.Event('input'));
        if (page.document.querySelector('#results a') || ask.tries++ > 50) resolve();
        else setTimeout(ask, 50);
      };
      ask.tries = 0;
      ask();
    });
    const first = page.document.querySelector('#results a');
    report(first && /server_bind/.test(first.textContent), 'search finds server_bind');
  }

  try {
    if (decks.length) await keys(decks[0]);
    for (const deck of decks) await fits(deck);
    await phones();
    await search();
  } catch (error) {
    report(false, 'the test itself: ' + error.stack);
  }
  result.append('end\n');
})();

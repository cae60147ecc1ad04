// Drives the pages of the built site in frames of different sizes, and writes what it finds into its own
// page: one line a finding, "ok …" or "FAILED …", and "end" when it came to its end. present_test.cmake
// starts a browser with it. window.kitTest = {site, decks, pages, pictures} says what there is to look at.
(async function () {
  'use strict';
  const { site, decks, pages, pictures } = window.kitTest;
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
    report(page.document.querySelector('.deck-start').textContent.includes('45 at the keyboard'), 'the page says how long it takes');
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
    await talk(linked);
  }

  const soon = () => new Promise(resolve => setTimeout(resolve, 100));
  const said = page => page.document.getElementById('show-said').textContent;
  const plan = page => page.document.querySelector('#show-notes .plan').textContent;
  const minutes = page => Number((plan(page).match(/since the start: (\d+):/) || [0, NaN])[1]);

  // The clock, the time at the keyboard, the other window, a finger, and who only listens.
  async function talk(page) {
    const begun = minutes(page);
    report(begun > 0, 'a talk that begins at slide 3 begins on time: ' + begun + ' minutes in');
    press(page, 'Home');
    equal(minutes(page), begun, 'and going back to the first slide is not a new talk');
    const turn = slides(page).findIndex(slide => slide.querySelector('.countdown'));
    report(turn > 0, 'one slide sends the class to the keyboard');
    press(page, 'End', ...Array(slides(page).length - 1 - turn).fill('ArrowLeft'));
    const wall = slides(page)[turn].querySelector('.countdown');
    equal(wall.textContent, '45:00', 'and shows for how long');
    report(visible(wall), 'on the wall');
    press(page, 'c');
    report(wall.classList.contains('running'), 'C starts it');
    press(page, 'c');
    report(!wall.classList.contains('running'), 'and stops it');
    for (const [ago, late] of [[76, false], [100, true]]) {
      page.postMessage({ kitSlide: turn + 1, startedAt: Date.now() - ago * 60000, practiceEnds: 0 }, '*');
      await soon();
      equal(/late/.test(plan(page)), late, `${ago} minutes in, the slide after it is ${late ? '' : 'not '}late`);
    }
    report(/^Slide \d+ of \d+: ./.test(said(page)), 'a change of slide is said to who cannot see it');

    const before = current(page);
    const link = slides(page)[before - 1].querySelector('a[href]') || page.document.querySelector('.to-slide');
    const enter = new page.KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true });
    link.dispatchEvent(enter);
    report(current(page) === before && !enter.defaultPrevented, 'Enter on a link is the link\'s own');

    const messages = [];
    addEventListener('message', event => messages.push(event.data));
    page.postMessage({ kitHello: true, first: true }, '*');
    await soon();
    report(messages.some(one => one.kitSlide === before - 1 && one.startedAt > 0),
      'a window that asks gets the slide and the clock');
    page.postMessage({ kitHello: true }, '*');
    await soon();
    report(messages.some(one => one.kitHere), 'and an answer each time');

    const tap = new page.PointerEvent('click', { bubbles: true, pointerType: 'touch' });
    slides(page)[before - 1].dispatchEvent(tap);
    const bar = page.document.getElementById('show-touch');
    report(visible(bar), 'a tap shows what a finger can do');
    [...bar.querySelectorAll('button')].pop().click();
    report(!has(page, 'showing'), 'leave, too');
    report(page.location.hash === '' || page.location.hash === '#', 'and the address is the page\'s');
  }

  // Back leaves the slides. (In a frame of its own: the history is one for all frames.)
  async function back(deck) {
    const page = await open(deck.page, 1280, 720);
    press(page, 'p', 'ArrowRight');
    page.history.back();
    await soon();
    await soon();
    report(!has(page, 'showing'), 'the browser\'s Back leaves the slides');
  }

  // The speaker's window: notes are read, not cut off.
  async function speaker(deck) {
    const page = await open(deck.page, 1280, 720);
    page.document.body.classList.add('speaker', 'with-notes');
    press(page, 'p');
    const notes = page.document.getElementById('show-notes');
    const findings = [];
    for (let i = 0; i < slides(page).length; i++) {
      press(page, i === 0 ? 'Home' : 'ArrowRight');
      const box = notes.getBoundingClientRect();
      const shown = slides(page).filter(visible).map(slide => slide.getBoundingClientRect());
      if (shown.length !== (i + 1 < slides(page).length ? 2 : 1)) findings.push(i + 1 + ': not this slide and the next');
      if (shown.some(one => one.bottom > box.top || one.right > 1280)) findings.push(i + 1 + ': a slide over the notes');
      if (shown.length === 2 && shown[0].right > shown[1].left) findings.push(i + 1 + ': one slide over the other');
      if (box.height < 250 || page.getComputedStyle(notes).overflowY !== 'auto') findings.push(i + 1 + ': no room for notes');
    }
    report(!findings.length, deck.page + ' in the speaker\'s window' + (findings.length ? ': ' + findings.join('; ') : ''));
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
      if (pixels < Math.min(stage / 34, page.innerWidth / 60)) findings.push(`code of ${pixels.toFixed(1)} pixels`);
      smallest(size, 'code', pixels);
      for (const line of fragment.querySelectorAll('.line')) {
        if (line.textContent.trim() && line.clientHeight > 1.9 * pixels) {
          findings.push('a line of code is torn: ' + line.textContent.trim().slice(0, 40));
        }
      }
    }
    for (const cell of slide.querySelectorAll('td, th')) {
      const pixels = parseFloat(page.getComputedStyle(cell).fontSize);
      if (pixels < Math.min(stage, page.innerWidth * 0.75) / 32.1) findings.push(`a table of ${pixels.toFixed(1)} pixels`);
      smallest(size, 'table', pixels);
    }
    const wall = slide.querySelector('.countdown');
    if (wall && visible(wall)) {
      const clock = wall.getBoundingClientRect();
      const walk = page.document.createTreeWalker(slide.querySelector('.slide-body'), page.NodeFilter.SHOW_TEXT);
      const range = page.document.createRange();
      while (walk.nextNode()) {
        range.selectNodeContents(walk.currentNode);
        if (walk.currentNode.data.trim() && [...range.getClientRects()].some(box => box.right > clock.left &&
          box.left < clock.right && box.bottom > clock.top && box.top < clock.bottom)) {
          findings.push('the countdown covers: ' + walk.currentNode.data.trim().slice(0, 30));
        }
      }
    }
    for (const picture of slide.querySelectorAll('img')) {
      if (!picture.naturalWidth) findings.push(picture.getAttribute('src') + ' does not show');
      else if (picture.clientHeight < stage / 3) findings.push(picture.getAttribute('src') + ' is too small');
    }
    if (findings.length) report(false, where + ': ' + findings.join('; '));
  }

  // The letters of code and tables, in pixels: how many slides have them how large.
  const sizes = {};
  function smallest(size, what, pixels) {
    const key = what + ' at ' + size;
    sizes[key] = sizes[key] || [];
    sizes[key].push(pixels);
  }
  function letterSizes() {
    for (const [key, all] of Object.entries(sizes)) {
      all.sort((a, b) => a - b);
      const large = all.filter(one => one >= 24).length;
      result.append(`letters of ${key}: ${all[0].toFixed(1)} to ${all[all.length - 1].toFixed(1)} pixels, ` +
        `${large} of ${all.length} with 24 or more\n`);
    }
  }

  async function fits(deck) {
    const before = failed;
    for (const [width, height] of [[1280, 720], [1920, 1080], [1024, 768]]) {
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
    if (failed === before) report(true, deck.page + ' fits its slides at 1280×720, 1920×1080, 1024×768 and on a phone');
  }

  // Pages on a phone: nothing makes the whole page scroll sideways.
  async function phones() {
    for (const name of pages) {
      const page = await open(name, 390, 844);
      const width = page.document.documentElement.scrollWidth;
      report(width <= 390, `${name} on a phone${width <= 390 ? '' : ' is ' + width + ' pixels wide'}`);
    }
  }

  async function find(page, words) {
    const field = page.document.getElementById('search');
    field.focus();
    field.value = words;
    const results = page.document.getElementById('results');
    for (let tries = 0; tries < 50; tries++) {
      field.dispatchEvent(new page.Event('input'));
      if (results.querySelector('.count')) break;
      await soon();
    }
    return [...results.querySelectorAll('a')];
  }

  async function search() {
    let page = await open('index.html', 1280, 720);
    const found = await find(page, 'server_bind');
    report(found.length && /server_bind/.test(found[0].textContent), 'search finds server_bind');
    report(/#server_bind$/.test(found[0].getAttribute('href')), 'at its own place in the reference');
    const backlog = await find(page, 'backlog');
    report(backlog.length > 0, 'search finds backlog');
    const count = page.document.querySelector('#results .count').textContent;
    report(/^\d+ places? on /.test(count), 'and says how often: ' + count);
    page = await open(backlog[0].getAttribute('href'), 1280, 720);
    report(page.document.querySelector('main mark'), 'the word is marked on the page');

    // Every word of every page, as a reader would type it.
    const index = page.kitSearchIndex || await new Promise(resolve => {
      const script = page.document.createElement('script');
      script.src = 'search_index.js';
      script.onload = () => resolve(page.kitSearchIndex);
      page.document.head.append(script);
    });
    const all = index.map(entry => entry.slice(1).join(' ')).join(' ').toLowerCase();
    for (const name of pages.filter(one => one !== 'hierarchy.html')) {  // A list of names alone.
      const shown = await open(name, 1280, 720);
      const copy = shown.document.querySelector('div.contents').cloneNode(true);
      for (const node of copy.querySelectorAll('.pager, .deck-start, .deck-title, .copy, .to-slide, .countdown, table.directory, [class*="inherit"]')) node.remove();
      const walk = shown.document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
      const missing = new Set();
      while (walk.nextNode()) {
        for (const word of walk.currentNode.data.toLowerCase().match(/[a-zäöüß_]{4,}/g) || []) {
          if (!all.includes(word)) missing.add(word);
        }
      }
      report(!missing.size, `search knows the words of ${name}${missing.size ? ': not ' + [...missing].slice(0, 8).join(', ') : ''}`);
    }
  }

  // Who does not see a page moves through it by its headings and landmarks, and by the keyboard.
  async function structure() {
    for (const name of pages) {
      for (const width of [1440, 390]) {
        const page = await open(name, width, 900);
        const findings = [];
        const one = (selector, what) => {
          const count = page.document.querySelectorAll(selector).length;
          if (count !== 1) findings.push(`${count} × ${what}`);
        };
        one('h1', 'h1');
        one('main', 'main');
        let level = 1;
        for (const heading of page.document.querySelectorAll('main :is(h1, h2, h3, h4, h5, h6)')) {
          const next = Number(heading.tagName[1]);
          if (next > level + 1) findings.push(`a gap above <${heading.tagName.toLowerCase()}> ${heading.textContent.trim().slice(0, 30)}`);
          level = next;
        }
        const ids = [...page.document.querySelectorAll('[id]')].map(node => node.id);
        const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
        if (twice.length && !/^class|^struct/.test(name)) findings.push('twice: #' + twice[0]);
        for (const node of page.document.querySelectorAll('h2.section')) {
          if (/^autotoc/.test(node.id)) findings.push('an address that changes: #' + node.id);
        }
        for (const node of page.document.querySelectorAll('main *, #side')) {
          const style = page.getComputedStyle(node);
          const scrolls = /auto|scroll/.test(style.overflowX + style.overflowY) && visible(node) &&
            (node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1);
          if (scrolls && node.tabIndex < 0) findings.push(`<${node.tagName.toLowerCase()} class="${node.className}"> scrolls, and no key reaches it`);
        }
        const walk = page.document.createTreeWalker(page.document.querySelector('main'), page.NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
          if (walk.currentNode.data.includes('`') && !walk.currentNode.parentNode.closest('code, .fragment')) {
            findings.push('code that is shown with its marks: ' + walk.currentNode.data.trim().slice(0, 40));
          }
        }
        for (const node of page.document.querySelectorAll('input, button, a[href]')) {
          const named = node.textContent.trim() || node.getAttribute('aria-label') || node.querySelector('img[alt]');
          if (!named) findings.push('nameless: ' + node.outerHTML.slice(0, 60));
        }
        if (findings.length) report(false, `${name} at ${width}: ${findings.slice(0, 4).join('; ')}`);
      }
    }
    report(true, `headings, landmarks, keys and names of ${pages.length} pages were looked at`);
  }

  // What the build adds to the pages: cards, times, the book; and the keys that turn pages.
  async function additions() {
    let page = await open('lesson_01.html', 1280, 720);
    const cards = [...page.document.querySelectorAll('.task')];
    equal(cards.length, page.document.querySelectorAll('h2[id^="lesson_01_"]').length, 'each task of lesson 01 has a card');
    report(cards.every(card => card.querySelector('.step b') && card.querySelector('.copy')),
      'with its steps and a command to copy');
    report(cards.every(card => card.querySelector('.why') && /\d points/.test(card.querySelector('.facts').textContent)),
      'with a sentence why, and its points');
    report(cards.every(card => /#line-\d+$/.test(card.querySelector('a').href)), 'with a link to the line to begin with');
    equal(page.document.querySelectorAll('img[src="framework_01.svg"]').length, 2,
      'the framework, with what is new in it, stands at the head and at the end');
    page = await open(cards[2].querySelector('a').getAttribute('href'), 1280, 720);
    report(/01\.C/.test(page.document.querySelector('.line:target').textContent), 'where the hole is');
    page = await open('instructor_guide.html', 1280, 720);
    const rows = [...page.document.querySelectorAll('td:last-child')].filter(cell => cell.textContent.trim() === '90');
    equal(rows.length, decks.length, 'the guide adds up the minutes of each deck');
    page = await open('costs.html', 1280, 720);
    const charts = [...page.document.querySelectorAll('img[src^="costs-"]')];
    report(charts.length >= 9 && charts.every(chart => chart.naturalWidth > 0 && chart.alt), charts.length + ' charts show what each design costs');
    report(/kit.s own figures/.test(page.document.body.textContent) || /Measured on \d/.test(page.document.body.textContent),
      'and the page says whose figures they are');
    page = await open('book.html', 1280, 720);
    equal(page.document.querySelectorAll('.chapter').length, decks.length, 'the book has a chapter for each lesson');
    page = await open('lesson_02.html', 1280, 720);
    const turned = new Promise(resolve => {
      document.querySelector('iframe').onload = () => resolve(true);
      setTimeout(() => resolve(false), 3000);
    });
    press(page, 'ArrowRight');
    report(await turned, '→ turns the page');
    report(/lesson_03\.html$/.test(document.querySelector('iframe').contentWindow.location.pathname), 'to the next lesson');
  }

  // On paper every hint and answer can be read.
  async function paper() {
    const page = await open('lesson_01.html', 1280, 720);
    const folded = () => page.document.querySelectorAll('main div.contents details:not([open])').length;
    const before = folded();
    page.dispatchEvent(new page.Event('beforeprint'));
    report(before > 5 && folded() === 0, `${before} hints and answers are printed open`);
    page.dispatchEvent(new page.Event('afterprint'));
    equal(folded(), before, 'and folded again');
  }

  // The letters of a picture stay inside it, and no line goes through them.
  function letters(drawing) {
    const svg = drawing.documentElement;
    const findings = [];
    const whole = svg.viewBox.baseVal;
    const toSvg = node => svg.getScreenCTM().inverse().multiply(node.getScreenCTM());
    const points = [];
    for (const shape of svg.querySelectorAll('path, line, polyline, polygon, rect, circle, ellipse')) {
      if (shape.closest('defs, marker, clipPath')) continue;
      const style = drawing.defaultView.getComputedStyle(shape);
      if (style.stroke === 'none' || style.strokeOpacity === '0' || style.opacity < 0.2) continue;
      const move = toSvg(shape);
      const length = shape.getTotalLength();
      for (let at = 0; at <= length; at += 1.5) points.push(shape.getPointAtLength(at).matrixTransform(move));
    }
    for (const text of svg.querySelectorAll('text')) {
      const own = text.getBBox();
      if (!own.width) continue;
      const move = toSvg(text);
      const corners = [[own.x, own.y], [own.x + own.width, own.y + own.height]].map(([x, y]) =>
        Object.assign(svg.createSVGPoint(), { x, y }).matrixTransform(move));
      const left = Math.min(corners[0].x, corners[1].x), right = Math.max(corners[0].x, corners[1].x);
      const top = Math.min(corners[0].y, corners[1].y), bottom = Math.max(corners[0].y, corners[1].y);
      const name = '"' + text.textContent.trim().slice(0, 30) + '"';
      if (left < whole.x || right > whole.x + whole.width || top < whole.y || bottom > whole.y + whole.height) {
        findings.push(`${name} leaves it: x ${Math.round(left)} to ${Math.round(right)}`);
      }
      // What is between the feet of the letters and their heads: accents and tails have air around them.
      const high = bottom - top;
      const line = points.find(point => point.x > left + 1 && point.x < right - 1 &&
        point.y > top + 0.25 * high && point.y < bottom - 0.22 * high);
      if (line) findings.push(`${name} is crossed by a line at ${Math.round(line.x)}, ${Math.round(line.y)}`);
    }
    return findings;
  }

  async function drawings() {
    for (const name of pictures) {
      const page = await open(name, 1000, 800);
      const findings = letters(page.document);
      report(!findings.length, name + (findings.length ? ': ' + findings.join('; ') : ' keeps its letters free'));
    }
  }

  try {
    if (decks.length) await keys(decks[0]);
    for (const deck of decks) await fits(deck);
    letterSizes();
    for (const deck of decks) await speaker(deck);
    await phones();
    await structure();
    await search();
    await additions();
    await paper();
    await drawings();
    if (decks.length) await back(decks[0]);
  } catch (error) {
    report(false, 'the test itself: ' + error.stack);
  }
  result.append('end\n');
})();

// Present mode: turns a deck's page into slides. A deck is an ordinary page; each of its outermost
// headings begins a slide, and a quotation that begins with "Minutes: 3" is that slide's speaker notes.
// "Practice: 45" behind it says that the class works for so long before the next slide.
// Without this script, or on paper, the page reads from top to bottom.
(function () {
  'use strict';
  if (!/\/deck_\w+\.html$/.test(location.pathname)) return;

  const element = window.kitElement;
  const body = document.body;
  const slides = [];        // the <section> of each slide
  const minutes = [];       // what its notes plan for it
  const practice = [];      // and for the keyboard after it
  const isSpeaker = window.name === 'kit-speaker' && window.opener;
  let current = 0;
  let startedAt = 0;        // when the talk began, by the plan of the slide that was shown first
  let practiceEnds = 0;     // when the time at the keyboard is over, once somebody has started it
  let partner = null;       // the other window, if there are two: slides here, notes there
  let heardAt = Date.now(); // when it last answered
  let bar, notes, plan, number, left, help, said, touchBar, paper;

  const keys = [
    ['→  Space  PageDown', 'next slide'], ['←  PageUp', 'previous slide'],
    ['Home  End', 'first, last slide'], ['N', 'speaker notes'], ['O', 'overview'],
    ['B', 'black'], ['F', 'full screen'], ['S', 'notes in a window of their own'],
    ['C', 'start or stop the time at the keyboard'], ['R', 'set the clock to zero'],
    ['T', 'light or dark'], ['?', 'these keys'], ['Esc', 'back to the page']
  ];

  function text(node) {
    return node.textContent.replace(/\u200d/g, '').trim();
  }

  // Cuts the page into slides.
  function cut() {
    const content = document.querySelector('div.contents div.textblock') ||
      document.querySelector('div.contents');
    const headings = [...content.children].filter(child => /^H[1-6]$/.test(child.tagName));
    const level = Math.min(...headings.map(heading => Number(heading.tagName[1])));
    let slide = null;
    for (const child of [...content.childNodes]) {
      if (child.nodeName === 'H' + level) {
        slide = element('section', { class: 'slide', id: 'slide-' + (slides.length + 1) });
        content.insertBefore(slide, child);
        slides.push(slide);
      }
      if (child.nodeType === 1 && child.classList.contains('pager')) slide = null;
      if (slide) slide.append(child);
    }
    slides.forEach(prepare);
  }

  function prepare(slide, i) {
    minutes[i] = 0;
    practice[i] = 0;
    const inner = element('div', { class: 'slide-body' });
    for (const child of [...slide.childNodes].slice(1)) {
      const match = child.nodeName === 'BLOCKQUOTE' && text(child).match(/^Minutes:?\s*(\d+)(?:\s*Practice:?\s*(\d+))?/);
      if (match) {
        child.classList.add('notes');
        minutes[i] += Number(match[1]);
        practice[i] += Number(match[2] || 0);
        slide.append(child);
      } else {
        inner.append(child);
      }
    }
    slide.firstChild.after(inner);
    if (practice[i]) slide.append(countdown(practice[i]));
    for (const paragraph of inner.querySelectorAll('p')) {
      if (/\?$/.test(text(paragraph)) && paragraph.parentNode === inner) paragraph.classList.add('question');
    }
    slide.firstChild.append(element('a', {
      class: 'to-slide', href: '#slide-' + (i + 1), title: 'Present from here', 'aria-label': 'Present from slide ' + (i + 1)
    }, String(i + 1)));
    for (const fragment of inner.querySelectorAll('.fragment')) fitCode(fragment);
    const rows = [...inner.querySelectorAll('.fragment')]
      .reduce((sum, fragment) => sum + fragment.querySelectorAll('.line').length, 0);
    slide.style.setProperty('--rows-on-slide', Math.max(1, rows));
    slide.style.setProperty('--taken', taken(slide));
    const words = inner.querySelector('p, ul, ol, table, .fragment');
    const pictures = inner.querySelectorAll('img, svg, object');
    for (const picture of pictures) picture.closest('p, div').classList.add('picture');
    if (pictures.length && !inner.querySelector('p:not(.picture), ul, ol, table, .fragment')) {
      slide.classList.add('only-picture');
    }
    if (!words) slide.classList.add('only-heading');
    else if (!inner.querySelector('img, table, .fragment')) slide.classList.add('only-text');
    slide.classList.toggle('last', i === slides.length - 1);
    if (i === 0) {
      slide.classList.add('first');
      const title = document.querySelector('h1.title');
      if (title) slide.prepend(element('p', { class: 'deck-title' }, text(title)));
    }
  }

  // Takes the indentation away that all lines of a slice share, and says how wide it is: the style
  // makes the letters of a wide slice smaller, down to a size that the last row can read.
  function fitCode(fragment) {
    const lines = [...fragment.querySelectorAll('.line')];
    const filled = lines.filter(line => line.textContent.trim());
    const indent = Math.min(...filled.map(line => line.textContent.match(/^ */)[0].length));
    let columns = 40;
    for (const line of lines) {
      let rest = indent;
      const walk = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      while (rest > 0 && walk.nextNode()) {
        const spaces = Math.min(rest, walk.currentNode.data.match(/^ */)[0].length);
        walk.currentNode.data = walk.currentNode.data.slice(spaces);
        rest -= spaces;
        if (walk.currentNode.data) break;
      }
      columns = Math.max(columns, line.textContent.trimEnd().length);
    }
    for (const line of lines) {
      if (!line.textContent.includes('\u2063')) continue;
      line.classList.add('lit');
      const walk = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      while (walk.nextNode()) walk.currentNode.data = walk.currentNode.data.replace('\u2063', '');
    }
    columns = Math.min(columns, 76);  // No line is longer: the linter sees to it.
    fragment.style.setProperty('--columns', columns);
  }

  // How much of the slide's height is not for code, in hundredths of its width: the style gives the rest to
  // the code. An estimate, by the style's own sizes; the test in a browser proves that nothing leaves a slide.
  function taken(slide) {
    const rows = (node, columns) => Math.max(1, Math.ceil(text(node).length / columns));
    let height = 15 + 4.6 * rows(slide.querySelector('h2'), 46);
    for (const node of slide.querySelectorAll('.slide-body > p')) height += 1.5 + 3.5 * rows(node, 66);
    for (const node of slide.querySelectorAll('.question')) height += 2.5;
    for (const node of slide.querySelectorAll('.slide-body li')) height += 1 + 3.5 * rows(node, 64);
    for (const node of slide.querySelectorAll('tr')) height += 5.2;
    return height + 4.1 * (slide.querySelectorAll('.fragment').length - 1) + 20 * slide.querySelectorAll('img').length;
  }

  function showing() { return body.classList.contains('showing'); }
  function inOverview() { return body.classList.contains('overview'); }

  function clock(seconds) {
    const sign = seconds < 0 ? '−' : '';
    const whole = Math.floor(Math.abs(seconds));
    return sign + Math.floor(whole / 60) + ':' + String(whole % 60).padStart(2, '0');
  }

  function remaining(from) {
    return minutes.slice(from).reduce((sum, one) => sum + one, 0);
  }

  // When the slide should be on the wall, in minutes since the start: the time at the keyboard counts.
  function planned(slide) {
    return minutes.slice(0, slide).concat(practice.slice(0, slide)).reduce((sum, one) => sum + one, 0);
  }

  // The time at the keyboard, large, on the slide that sends the class there.
  function countdown(long) {
    const button = element('button', { type: 'button', class: 'countdown', title: 'Starts and stops: C' },
      clock(long * 60));
    button.onclick = () => { startPractice(); button.blur(); };
    return button;
  }
  function startPractice() {
    const long = practice[current];
    if (!long) return;
    practiceEnds = practiceEnds ? 0 : Date.now() + long * 60000;
    keep();
    tick();
    tell();
  }

  function go(to, quietly) {
    current = Math.max(0, Math.min(slides.length - 1, to));
    slides.forEach((slide, i) => {
      slide.classList.toggle('current', i === current);
      slide.classList.toggle('next', i === current + 1);
    });
    number.textContent = (current + 1) + ' / ' + slides.length;
    left.textContent = remaining(0) ? remaining(current) + ' min left' : '';  // A hand-out has no notes.
    bar.style.setProperty('--done', (current + 1) / slides.length);
    if (current > 0 && !startedAt && showing()) startedAt = Date.now() - planned(current) * 60000;
    keep();
    fillNotes();
    if (inOverview()) slides[current].scrollIntoView({ block: 'nearest' });
    else slides[current].scrollTop = 0;
    if (showing()) {
      address('#slide-' + (current + 1));
      said.textContent = 'Slide ' + (current + 1) + ' of ' + slides.length + ': ' + headingOf(slides[current]);
    }
    if (!quietly) tell();
  }

  // What changes by itself: the clock and the countdown.
  function tick() {
    for (const button of document.querySelectorAll('.countdown')) {
      const long = practice[slides.indexOf(button.closest('.slide'))] * 60;
      const rest = practiceEnds ? (practiceEnds - Date.now()) / 1000 : long;
      button.textContent = rest > 0 ? clock(Math.ceil(rest)) : 'Time';
      button.classList.toggle('running', practiceEnds > 0 && rest > 0);
      button.classList.toggle('over', rest <= 0);
    }
    plan.replaceChildren('This slide: ' + minutes[current] + ' min' +
      (practice[current] ? ' and ' + practice[current] + ' at the keyboard' : '') +
      ' · left: ' + remaining(current) + ' min');
    if (startedAt) {
      const used = (Date.now() - startedAt) / 1000;
      const behind = used / 60 - planned(current) - minutes[current] - practice[current];
      plan.append(' · since the start: ' + clock(used));
      if (behind > 2) plan.append(element('b', {}, ' · ' + Math.floor(behind) + ' min late'));
    }
    if (practiceEnds && practiceEnds > Date.now()) {
      plan.append(' · at the keyboard: ' + clock(Math.ceil((practiceEnds - Date.now()) / 1000)));
    }
    body.classList.toggle('lost', Boolean(isSpeaker) && Date.now() - heardAt > 5000);
  }

  function fillNotes() {
    notes.replaceChildren(plan);
    notes.append(element('p', { class: 'lost-window' }, 'The window with the slides does not answer: ' +
      'it is closed, or shows another page. Close this one, and press S in the window with the slides.'));
    for (const note of slides[current].querySelectorAll('.notes')) {
      const copy = note.cloneNode(true);
      const first = copy.querySelector('p');
      if (first && /^Minutes:? *\d+( *Practice:? *\d+)?$/.test(text(first))) first.remove();
      notes.append(copy);
    }
    const next = slides[current + 1];
    if (next) notes.append(element('p', { class: 'next' }, 'Next: ' + headingOf(next)));
    notes.scrollTop = 0;
    tick();
  }

  // The clock goes on when the page is loaded again. Half a day later it is another talk.
  const place = 'kit-clock ' + location.pathname;
  function keep() {
    try {
      sessionStorage.setItem(place, JSON.stringify({ startedAt, practiceEnds }));
    } catch (error) { /* not remembered */ }
  }
  function remember() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(place));
      if (kept && Date.now() - kept.startedAt < 12 * 3600 * 1000) ({ startedAt, practiceEnds } = kept);
    } catch (error) { /* nothing to remember */ }
  }

  function headingOf(slide) {
    const heading = slide.querySelector('h1, h2, h3').cloneNode(true);
    for (const link of heading.querySelectorAll('.to-slide')) link.remove();
    return text(heading);
  }

  function address(hash) {
    try {
      history.replaceState(history.state, '', location.pathname + location.search + hash);
    } catch (error) {
      location.replace(hash || '#');
    }
  }

  // The browser's Back leaves the slides too: on a phone it is the key that everybody knows.
  function present(to) {
    if (!showing() && !/^#slide-/.test(location.hash)) {
      try {
        history.pushState({ kitSlides: true }, '', location.pathname + location.search + '#slide-' + (to + 1));
      } catch (error) { /* then Back leaves the page */ }
    }
    body.classList.add('showing', 'as-slides');
    go(to);
  }

  function leave() {
    body.classList.remove('showing', 'as-slides', 'overview', 'black', 'with-notes', 'with-help', 'with-touch');
    if (document.fullscreenElement) document.exitFullscreen();
    if (history.state && history.state.kitSlides) history.back();
    else address('');
    slides[current].scrollIntoView();
  }
  function onBack() {
    if (showing() && !/^#slide-/.test(location.hash)) {
      body.classList.remove('showing', 'as-slides', 'overview', 'black', 'with-notes', 'with-help', 'with-touch');
      if (document.fullscreenElement) document.exitFullscreen();
    }
    if (!showing()) slides[current].scrollIntoView();
  }

  function fullScreen() {
    if (document.fullscreenElement) {
      document.exitFullscreen();
    } else if (document.documentElement.requestFullscreen) {
      document.documentElement.requestFullscreen().catch(() => { /* the browser says no: go on */ });
    }
  }

  // The slides in one window, the notes in another; each follows the other. The notes' window asks every
  // second whether the other is there, so that the two find each other again when one is loaded anew.
  function speakerWindow() {
    if (isSpeaker) return;
    partner = open(location.pathname + location.search + '#slide-' + (current + 1), 'kit-speaker',
      'width=1100,height=800');
  }
  function send(message) {
    if (partner && !partner.closed) partner.postMessage(message, '*');
  }
  function tell() {
    send({ kitSlide: current, startedAt, practiceEnds });
  }
  function onMessage(event) {
    const message = event.data;
    if (!event.source || !message || typeof message !== 'object') return;
    if (message.kitHello) {
      const isNew = partner !== event.source || message.first;
      partner = event.source;
      if (isNew) tell();
      else send({ kitHere: true });
    } else if (Number.isInteger(message.kitSlide)) {
      partner = event.source;
      heardAt = Date.now();
      if ('startedAt' in message) ({ startedAt, practiceEnds } = message);
      go(message.kitSlide, true);
    } else if (message.kitHere) {
      heardAt = Date.now();
    }
  }

  function overview() {
    body.classList.toggle('overview');
    go(current);
  }

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName || '')) return;
    // A link or a button that has the focus is meant, not the slide.
    if ((event.key === 'Enter' || event.key === ' ') && event.target.closest &&
        event.target.closest('a, button, summary')) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!showing()) {
      if (key === 'p') { present(current); event.preventDefault(); }
      return;
    }
    const black = body.classList.contains('black');
    if (black && key !== 'Escape') {  // Any key brings the slide back.
      body.classList.remove('black');
      event.preventDefault();
      return;
    }
    const row = inOverview() ? overviewColumns() : 1;
    switch (key) {
      case 'ArrowRight': case 'PageDown': case ' ':
        go(current + (event.shiftKey && key === ' ' ? -1 : 1)); break;
      case 'ArrowLeft': case 'PageUp': case 'Backspace': go(current - 1); break;
      case 'ArrowDown': go(current + row); break;
      case 'ArrowUp': go(current - row); break;
      case 'Home': go(0); break;
      case 'End': go(slides.length - 1); break;
      case 'Enter': if (inOverview()) overview(); else go(current + 1); break;
      case 'n': body.classList.toggle('with-notes'); go(current); break;
      case 'o': overview(); break;
      case 'b': case '.': body.classList.add('black'); break;
      case 'f': fullScreen(); break;
      case 's': speakerWindow(); break;
      case 'c': startPractice(); break;
      case 'r': startedAt = 0; practiceEnds = 0; go(current); break;
      case 't': window.kitToggleTheme(); break;
      case '?': case 'h': body.classList.toggle('with-help'); break;
      case 'Escape':
        if (black) body.classList.remove('black');
        else if (body.classList.contains('with-help')) body.classList.remove('with-help');
        else if (inOverview()) overview();
        else leave();
        break;
      default: return;
    }
    event.preventDefault();
  }

  function overviewColumns() {
    const top = slides[0].offsetTop;
    const columns = slides.findIndex(slide => slide.offsetTop > top);
    return columns < 1 ? slides.length : columns;
  }

  function onClick(event) {
    const link = event.target.closest('a.to-slide');
    if (!showing()) {
      if (link) {
        event.preventDefault();
        present(slides.findIndex(slide => slide.contains(link)));
      }
      return;
    }
    body.classList.remove('black');
    const slide = event.target.closest('.slide');
    if (inOverview() && slide) {
      event.preventDefault();
      go(slides.indexOf(slide));
      overview();
      return;
    }
    // A finger has no keys: a tap on the slide shows what it can do.
    const finger = event.pointerType === 'touch' || matchMedia('(pointer: coarse)').matches;
    if (finger && slide && !event.target.closest('a, button')) body.classList.toggle('with-touch');
  }

  let touch = null;
  function onTouchStart(event) {
    touch = event.touches.length === 1
      ? { x: event.touches[0].clientX, y: event.touches[0].clientY } : null;
  }
  function onTouchEnd(event) {
    if (!touch || !showing() || inOverview()) return;
    const x = event.changedTouches[0].clientX - touch.x;
    const y = event.changedTouches[0].clientY - touch.y;
    touch = null;
    if (Math.abs(x) > 40 && Math.abs(x) > 2 * Math.abs(y)) go(current + (x < 0 ? 1 : -1));
  }

  // On paper: each slide a sheet of its own; or a handout, the slides small with their notes beside them.
  function setPaper(handout) {
    body.classList.toggle('handout', handout);
    paper.textContent = handout ? '@page { size: A4; margin: 14mm; }' : '@page { size: 1280px 720px; margin: 0; }';
  }

  function fromAddress() {
    const match = location.hash.match(/^#slide-(\d+)$/);
    if (match) present(Number(match[1]) - 1);
  }

  function build() {
    body.classList.add('deck');
    cut();
    if (!slides.length) return;
    number = element('span', { class: 'slide-number' });
    left = element('span', { class: 'minutes-left' });
    bar = element('div', { id: 'show-bar' }, left, number);
    plan = element('p', { class: 'plan' });
    said = element('p', { id: 'show-said', role: 'status' });
    touchBar = element('div', { id: 'show-touch' });
    for (const [label, what, act] of [['‹', 'Previous slide', () => go(current - 1)],
      ['›', 'Next slide', () => go(current + 1)], ['Overview', 'All slides', overview],
      ['Leave', 'Back to the page', leave]]) {
      const button = element('button', { type: 'button', class: 'button', 'aria-label': what }, label);
      button.onclick = act;
      touchBar.append(button);
    }
    notes = element('aside', { id: 'show-notes', 'aria-label': 'Speaker notes' });
    const list = element('dl', {});
    for (const [key, what] of keys) list.append(element('dt', {}, key), element('dd', {}, what));
    help = element('div', { id: 'show-help' }, element('p', {}, 'Keys'), list);
    (document.querySelector('main') || body).append(bar, help, touchBar, said);
    body.append(notes);

    const start = element('button', { type: 'button', class: 'button' }, 'Present');
    start.onclick = () => { present(0); fullScreen(); };
    const printSlides = element('button', { type: 'button', class: 'button second' }, 'Print slides');
    printSlides.onclick = () => { setPaper(false); print(); };
    const printNotes = element('button', { type: 'button', class: 'button second' }, 'Print with notes');
    printNotes.onclick = () => { setPaper(true); print(); setPaper(false); };
    const total = practice.reduce((sum, one) => sum + one, 0);
    const about = element('p', { class: 'deck-start' }, start, printSlides, ...(remaining(0) ? [printNotes] : []), element('span', {},
      slides.length + ' slides' + (remaining(0) ? ', ' + remaining(0) + ' minutes' : '') +
      (total ? ' and ' + total + ' at the keyboard' : '') + '. Keys: P presents, ? lists the others.'));
    slides[0].before(about);

    paper = element('style', {});
    document.head.append(paper);
    setPaper(/[?&]handout\b/.test(location.search));
    addEventListener('beforeprint', () => {
      if (!body.classList.contains('handout')) body.classList.add('as-slides');
    });
    addEventListener('afterprint', () => { if (!showing()) body.classList.remove('as-slides'); });
    remember();
    go(0, true);
    document.addEventListener('keydown', onKey);
    document.addEventListener('click', onClick);
    document.addEventListener('touchstart', onTouchStart, { passive: true });
    document.addEventListener('touchend', onTouchEnd, { passive: true });
    addEventListener('hashchange', fromAddress);
    addEventListener('popstate', onBack);
    addEventListener('message', onMessage);
    setInterval(tick, 1000);
    if (isSpeaker) {
      partner = window.opener;
      body.classList.add('speaker', 'with-notes');
      send({ kitHello: true, first: true });
      setInterval(() => send({ kitHello: true }), 1000);
    }
    fromAddress();
  }

  build();  // The script is deferred: the page is there.
})();

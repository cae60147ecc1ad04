// Present mode: turns a deck's page into slides. A deck is an ordinary page; each of its outermost
// headings begins a slide, and a quotation that begins with "Minutes: 3" is that slide's speaker notes.
// Without this script, or on paper, the page reads from top to bottom.
(function () {
  'use strict';
  if (!/\/deck_\w+\.html$/.test(location.pathname)) return;

  const element = window.kitElement;
  const body = document.body;
  const slides = [];        // the <section> of each slide
  const minutes = [];       // what its notes plan for it
  let current = 0;
  let startedAt = 0;        // when the second slide was first shown, less the first one's minutes
  let partner = null;       // the other window, if there are two: slides here, notes there
  let bar, notes, number, left, help;

  const keys = [
    ['→  Space  PageDown', 'next slide'], ['←  PageUp', 'previous slide'],
    ['Home  End', 'first, last slide'], ['N', 'speaker notes'], ['O', 'overview'],
    ['B', 'black'], ['F', 'full screen'], ['S', 'notes in a window of their own'],
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
    const inner = element('div', { class: 'slide-body' });
    for (const child of [...slide.childNodes].slice(1)) {
      const match = child.nodeName === 'BLOCKQUOTE' && text(child).match(/^Minutes:?\s*(\d+)/);
      if (match) {
        child.classList.add('notes');
        minutes[i] += Number(match[1]);
        slide.append(child);
      } else {
        inner.append(child);
      }
    }
    slide.firstChild.after(inner);
    slide.firstChild.append(element('a', {
      class: 'to-slide', href: '#slide-' + (i + 1), title: 'Present from here'
    }, String(i + 1)));
    for (const fragment of inner.querySelectorAll('.fragment')) fitCode(fragment);
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
      const title = document.querySelector('div.title');
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
    columns = Math.min(columns, 80);  // A longer line goes on in the next.
    fragment.style.setProperty('--columns', columns);
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

  function go(to, quietly) {
    current = Math.max(0, Math.min(slides.length - 1, to));
    slides.forEach((slide, i) => slide.classList.toggle('current', i === current));
    number.textContent = (current + 1) + ' / ' + slides.length;
    left.textContent = remaining(current) + ' min left';
    bar.style.setProperty('--done', (current + 1) / slides.length);
    if (current > 0 && !startedAt) startedAt = Date.now() - minutes[0] * 60000;
    if (current === 0) startedAt = 0;
    fillNotes();
    if (inOverview()) slides[current].scrollIntoView({ block: 'nearest' });
    else slides[current].scrollTop = 0;
    if (showing()) address('#slide-' + (current + 1));
    if (!quietly) tell();
  }

  function fillNotes() {
    notes.replaceChildren();
    const plan = element('p', { class: 'plan' },
      'This slide: ' + minutes[current] + ' min · left: ' + remaining(current) + ' min');
    if (startedAt) {
      const used = (Date.now() - startedAt) / 1000;
      const behind = used - (remaining(0) - remaining(current)) * 60;
      plan.append(' · since the start: ' + clock(used));
      if (behind > (minutes[current] + 2) * 60) plan.append(element('b', {}, ' · late'));
    }
    notes.append(plan);
    for (const note of slides[current].querySelectorAll('.notes')) {
      const copy = note.cloneNode(true);
      const first = copy.querySelector('p');
      if (first && /^Minutes:? *\d+$/.test(text(first))) first.remove();
      notes.append(copy);
    }
    const next = slides[current + 1];
    if (next) notes.append(element('p', { class: 'next' }, 'Next: ' + headingOf(next)));
  }

  function headingOf(slide) {
    const heading = slide.querySelector('h1, h2, h3').cloneNode(true);
    for (const link of heading.querySelectorAll('.to-slide')) link.remove();
    return text(heading);
  }

  function address(hash) {
    try {
      history.replaceState(null, '', location.pathname + location.search + hash);
    } catch (error) {
      location.replace(hash || '#');
    }
  }

  function present(to) {
    body.classList.add('showing', 'as-slides');
    go(to);
  }

  function leave() {
    body.classList.remove('showing', 'as-slides', 'overview', 'black', 'with-notes', 'with-help');
    if (document.fullscreenElement) document.exitFullscreen();
    address('');
    slides[current].scrollIntoView();
  }

  function fullScreen() {
    if (document.fullscreenElement) {
      document.exitFullscreen();
    } else if (document.documentElement.requestFullscreen) {
      document.documentElement.requestFullscreen().catch(() => { /* the browser says no: go on */ });
    }
  }

  // The slides in one window, the notes in another; each follows the other.
  function speakerWindow() {
    partner = open(location.pathname + location.search + '#slide-' + (current + 1), 'kit-speaker',
      'width=900,height=700');
  }
  function tell() {
    if (partner && !partner.closed) partner.postMessage({ kitSlide: current }, '*');
  }

  function overview() {
    body.classList.toggle('overview');
    go(current);
  }

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName || '')) return;
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
    }
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
    notes = element('aside', { id: 'show-notes', 'aria-label': 'Speaker notes' });
    const list = element('dl', {});
    for (const [key, what] of keys) list.append(element('dt', {}, key), element('dd', {}, what));
    help = element('div', { id: 'show-help' }, element('p', {}, 'Keys'), list);
    body.append(bar, notes, help);

    const start = element('button', { type: 'button', class: 'button' }, 'Present');
    start.onclick = () => { present(0); fullScreen(); };
    const about = element('p', { class: 'deck-start' }, start, element('span', {}, slides.length +
      ' slides, ' + remaining(0) + ' minutes. Keys: P presents, ? lists the others.'));
    slides[0].before(about);

    // On paper each slide is a sheet of its own.
    document.head.append(element('style', {}, '@page { size: 1280px 720px; margin: 0; }'));
    addEventListener('beforeprint', () => body.classList.add('as-slides'));
    addEventListener('afterprint', () => { if (!showing()) body.classList.remove('as-slides'); });
    go(0, true);
    document.addEventListener('keydown', onKey);
    document.addEventListener('click', onClick);
    document.addEventListener('touchstart', onTouchStart, { passive: true });
    document.addEventListener('touchend', onTouchEnd, { passive: true });
    addEventListener('hashchange', fromAddress);
    addEventListener('message', event => {
      if (event.source && event.data && Number.isInteger(event.data.kitSlide)) {
        partner = event.source;
        go(event.data.kitSlide, true);
      }
    });
    setInterval(() => { if (showing()) fillNotes(); }, 10000);
    if (window.opener && window.name === 'kit-speaker') {
      partner = window.opener;
      body.classList.add('with-notes');
    }
    fromAddress();
  }

  build();  // The script is deferred: the page is there.
})();

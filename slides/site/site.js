// What every page of the site can do beyond being read: light and dark, the page's contents, search.
// Without this script the pages read just as well.
(function () {
  'use strict';
  const root = document.documentElement;

  // Storage can be forbidden (a page opened from a file, a private window): then nothing is remembered.
  function recall(key) {
    try { return localStorage.getItem(key); } catch (error) { return null; }
  }
  function remember(key, value) {
    try { localStorage.setItem(key, value); } catch (error) { /* not remembered */ }
  }

  // Before the first line is painted, so that a dark page does not flash white.
  const theme = recall('kit-theme');
  if (theme) root.dataset.theme = theme;
  root.classList.add('script');

  function isDark() {
    if (root.dataset.theme) return root.dataset.theme === 'dark';
    return matchMedia('(prefers-color-scheme: dark)').matches;
  }
  function toggleTheme() {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    remember('kit-theme', root.dataset.theme);
  }
  window.kitToggleTheme = toggleTheme;

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    made.append(...children);
    return made;
  }
  window.kitElement = element;

  function pageName() {
    return location.pathname.split('/').pop() || 'index.html';
  }

  function markCurrentPage() {
    for (const link of document.querySelectorAll('#side a')) {
      if (link.previousSibling) link.title = 'Slides of lesson ' + link.previousSibling.firstChild.textContent;
      if (link.getAttribute('href') !== pageName()) continue;
      link.setAttribute('aria-current', 'page');
      const side = document.getElementById('side');
      side.scrollTop = link.offsetTop - side.clientHeight / 2;
    }
  }

  // Each heading has a link to itself, to copy its address.
  function addLinksToHeadings() {
    if (/^deck_/.test(pageName())) return;
    for (const heading of document.querySelectorAll('main :is(.section, .memtitle)[id]')) {
      heading.append(element('a', {
        class: 'here', href: '#' + heading.id, 'aria-label': 'Link to: ' + heading.textContent.trim()
      }));
    }
  }

  // What is there in both forms, a list beside the text and one above it: the style shows the one for
  // which there is room.
  function addContents() {
    const content = document.querySelector('div.contents');
    if (!content || /^(deck_|index|source_|book)/.test(pageName())) return;
    const headings = [...content.querySelectorAll('h2.section')];
    if (headings.length < 3) return;
    const list = element('ul', {});
    for (const heading of headings) {
      list.append(element('li', {}, element('a', { href: '#' + heading.id }, heading.textContent.trim())));
    }
    const copy = list.cloneNode(true);
    const folded = element('details', { id: 'toc-folded' }, element('summary', {}, 'On this page'),
      element('nav', { 'aria-label': 'On this page' }, copy));
    copy.addEventListener('click', () => { folded.open = false; });
    content.before(folded);
    content.parentNode.append(element('nav', { id: 'toc', 'aria-label': 'On this page' },
      element('h2', {}, 'On this page'), list));
    const links = [...list.querySelectorAll('a')];
    function follow() {
      let current = 0;
      headings.forEach((heading, i) => {
        if (heading.getBoundingClientRect().top < innerHeight / 4) current = i;
      });
      links.forEach((link, i) => {
        link.classList.toggle('current', i === current);
        if (i === current) link.setAttribute('aria-current', 'true');
        else link.removeAttribute('aria-current');
      });
    }
    addEventListener('scroll', follow, { passive: true });
    follow();
  }

  // A page opened from a file may not be allowed to use the clipboard: then the old way, by a selection.
  function copyText(text) {
    function byHand() {
      const field = element('textarea', { 'aria-hidden': 'true', style: 'position:fixed;opacity:0' });
      field.value = text;
      document.body.append(field);
      field.select();
      const done = document.execCommand('copy');
      field.remove();
      return done ? Promise.resolve() : Promise.reject(new Error('not copied'));
    }
    if (!navigator.clipboard) return byHand();
    return navigator.clipboard.writeText(text).catch(byHand);
  }

  function addCopyButtons() {
    if (/^deck_/.test(pageName())) return;
    for (const block of document.querySelectorAll('div.contents :is(div.fragment, pre.fragment)')) {
      if (block.classList.contains('diff')) continue;
      const box = element('div', { class: 'code' });
      const button = element('button', { type: 'button', class: 'copy' }, 'Copy');
      block.before(box);
      box.append(block, button);
      button.onclick = () => {
        const lines = [...block.querySelectorAll('.line')].map(line => line.textContent.trimEnd());
        const text = (lines.length ? lines.join('\n') : block.textContent).replace(/[\u00a0]/g, ' ')
          .replace(/[\u200d\u200b]/g, '');
        copyText(text.trimEnd() + (lines.length > 1 ? '\n' : '')).then(
          () => { button.textContent = 'Copied'; }, () => { button.textContent = 'Not copied'; });
        setTimeout(() => { button.textContent = 'Copy'; }, 2000);
      };
    }
  }

  // What scrolls by itself can be reached by the keyboard. Known only when the page has its width.
  function markScrolling() {
    for (const box of document.querySelectorAll(
      'div.contents :is(.fragment, table, .memproto, .table, p.picture), #side, #toc, #results')) {
      const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
      if (scrolls && /auto|scroll/.test(getComputedStyle(box).overflow)) box.tabIndex = 0;
      else box.removeAttribute('tabindex');
    }
  }

  // A line may end before an option of a command, not within it: --preset, --half-close.
  function keepOptionsWhole() {
    for (const code of document.querySelectorAll('main :is(code, .start .line)')) {
      if (code.children.length || !code.textContent.includes(' --')) continue;
      const pieces = code.textContent.split(/(--[\w-]+)/);
      code.replaceChildren(...pieces.map((piece, i) => i % 2 ? element('span', { class: 'option' }, piece) : piece));
    }
  }

  // A wide table scrolls in a box of its own and stays a table; a wide picture too.
  function addBoxes() {
    for (const table of document.querySelectorAll('table:is(.markdownTable, .doxtable)')) {
      const box = element('div', { class: 'table' });
      table.before(box);
      box.append(table);
    }
    for (const picture of document.querySelectorAll('div.contents p > img:only-child')) {
      picture.parentNode.classList.add('picture');
    }
    // Charts and tables of measurements need more room than text, and letters of their own size.
    if (pageName() === 'costs.html') document.body.classList.add('wide');
  }

  // On paper nothing can be opened: what is folded is printed open, and folded again afterwards.
  function openForPaper() {
    let opened = [];
    addEventListener('beforeprint', () => {
      opened = [...document.querySelectorAll('div.contents details:not([open])')];
      for (const one of opened) one.open = true;
    });
    addEventListener('afterprint', () => {
      for (const one of opened) one.open = false;
    });
  }

  // The keys ← and → turn the pages of the course.
  function turnPages() {
    document.addEventListener('keydown', event => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
      if (document.body.classList.contains('showing')) return;
      const at = document.activeElement;
      if (at && at !== document.body && (at.tabIndex >= 0 && !/^(A|BUTTON|SUMMARY)$/.test(at.tagName))) return;
      const to = { ArrowLeft: 'prev', ArrowRight: 'next' }[event.key];
      const link = to && document.querySelector('.pager a[rel="' + to + '"]');
      if (link) link.click();
    });
  }

  // The words that were looked for are marked on the page that was found: page.html?mark=listen+backlog
  function markWords() {
    const words = (new URLSearchParams(location.search).get('mark') || '').toLowerCase().split(/\s+/)
      .filter(word => word);
    if (!words.length) return;
    const content = document.querySelector('div.contents');
    const pattern = new RegExp(words.map(word => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'), 'gi');
    const walk = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walk.nextNode()) {
      if (walk.currentNode.data.search(pattern) >= 0) found.push(walk.currentNode);
    }
    for (const node of found) {
      const pieces = [];
      let at = 0;
      for (const match of node.data.matchAll(pattern)) {
        pieces.push(node.data.slice(at, match.index), element('mark', {}, match[0]));
        at = match.index + match[0].length;
      }
      node.replaceWith(...pieces, node.data.slice(at));
    }
    const place = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const marks = [...content.querySelectorAll('mark')];
    const first = marks.find(mark =>
      !place || place.compareDocumentPosition(mark) & Node.DOCUMENT_POSITION_FOLLOWING || place.contains(mark));
    if (!first) return;
    for (let box = first.closest('details'); box; box = box.parentNode.closest('details')) box.open = true;
    first.scrollIntoView({ block: 'center' });
  }

  // Search: the index is a script beside the page, loaded when it is first needed.
  let index = null;
  function loadIndex(then) {
    if (window.kitSearchIndex) return then();
    const script = element('script', { src: 'search_index.js' });
    script.onload = then;
    document.head.append(script);
  }

  function find(query) {
    if (!index) {
      index = [];
      // A symbol is an entry without a text.
      const add = (address, page, section, text) => index.push({
        address, page, section, text,
        all: (page + ' ' + section + ' ' + (text || '')).toLowerCase(),
        name: page.toLowerCase(), heading: section.toLowerCase()
      });
      for (const [address, title, kind, ...members] of window.kitSearchIndex) {
        if (typeof kind !== 'string') continue;
        if (kind !== 'namespace') add(address, title, kind);
        for (const member of members) {
          const [name, anchor] = member.split('#');
          add(address + '#' + (anchor || name), (title && title + '::') + name, kind + ' member');
        }
      }
      for (const [address, title, ...sections] of window.kitSearchIndex) {
        if (typeof sections[0] === 'string') continue;
        for (const [anchor, heading, text] of sections) add(address + (anchor && '#' + anchor), title, heading, text);
      }
    }
    const words = query.toLowerCase().split(/\s+/).filter(word => word);
    if (!words.length) return [];
    const phrase = words.join(' ');
    const found = [];
    for (const entry of index) {
      if (!words.every(word => entry.all.includes(word))) continue;
      let score = 0;
      for (const word of words) {
        if (entry.text === undefined) {
          const last = entry.name.split('::').pop();
          score += last === word ? 100 : last.startsWith(word) ? 40 : 5;
        } else {
          score += entry.heading.includes(word) ? 30 : entry.name.includes(word) ? 12 : 2;
        }
      }
      if (words.length > 1 && entry.heading.includes(phrase)) score += 60;
      else if (words.length > 1 && entry.all.includes(phrase)) score += 20;
      found.push({ entry, score });
    }
    found.sort((a, b) => b.score - a.score);
    return found.map(one => one.entry);
  }

  function excerpt(text, query) {
    const wanted = [query.toLowerCase(), ...query.toLowerCase().split(/\s+/)];
    const word = wanted.find(w => w && text.toLowerCase().includes(w));
    if (!word) return [text.slice(0, 110)];
    const at = text.toLowerCase().indexOf(word);
    const from = Math.max(0, at - 40);
    return [(from ? '… ' : '') + text.slice(from, at),
      element('mark', {}, text.slice(at, at + word.length)), text.slice(at + word.length, at + 90) + ' …'];
  }

  function withMark(entry, query) {
    const [page, section] = entry.address.split('#');
    return page + '?mark=' + encodeURIComponent(query) + (section ? '#' + section : '');
  }

  function addTools() {
    const tools = document.getElementById('tools');
    tools.setAttribute('role', 'search');
    const field = element('input', {
      type: 'search', id: 'search', placeholder: 'Search', autocomplete: 'off',
      'aria-label': 'Search the site', title: 'Search: press /'
    });
    const results = element('div', { id: 'results', hidden: '' });
    const shown = 50;
    const button = element('button', { id: 'theme', type: 'button', title: 'Light or dark' }, '◐');
    button.setAttribute('aria-label', 'Light or dark');
    button.onclick = toggleTheme;
    tools.append(field, button, results);

    function show() {
      const query = field.value.trim();
      results.replaceChildren();
      results.hidden = !query;
      if (!query) return;
      const entries = find(query);
      const pages = new Set(entries.map(entry => entry.address.split('#')[0])).size;
      results.append(element('p', { class: 'count', role: 'status' }, !entries.length ? 'Nothing found.'
        : (entries.length === 1 ? '1 place' : entries.length + ' places') +
          (pages === 1 ? ' on one page' : ' on ' + pages + ' pages') +
          (entries.length > shown ? '; the first ' + shown : '')));
      const list = element('ul', {});
      for (const entry of entries.slice(0, shown)) {
        const link = element('a', { href: withMark(entry, query) }, element('b', {}, entry.section && entry.text !== undefined
          ? entry.section : entry.page), element('small', {}, entry.text === undefined ? entry.section : entry.section ? entry.page : ''));
        if (entry.text) link.append(element('span', {}, ...excerpt(entry.text, query)));
        link.onclick = () => { results.hidden = true; };
        list.append(element('li', {}, link));
      }
      if (entries.length) results.append(list);
      markScrolling();
    }
    field.addEventListener('focus', () => loadIndex(show));
    field.addEventListener('input', () => loadIndex(show));
    tools.addEventListener('keydown', event => {
      const links = [...results.querySelectorAll('a')];
      const at = links.indexOf(document.activeElement);
      if (event.key === 'ArrowDown') (links[at + 1] || links[0] || field).focus();
      else if (event.key === 'ArrowUp') (links[at - 1] || field).focus();
      else if (event.key === 'Enter' && at < 0 && links[0]) links[0].click();
      else if (event.key === 'Escape') { results.hidden = true; field.blur(); }
      else return;
      event.preventDefault();
    });
    document.addEventListener('click', event => {
      if (!tools.contains(event.target)) results.hidden = true;
    });
    document.addEventListener('keydown', event => {
      if (event.key !== '/' || document.body.classList.contains('showing')) return;
      if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return;
      event.preventDefault();
      field.focus();
    });
  }

  document.addEventListener('DOMContentLoaded', () => {
    markCurrentPage();
    addTools();
    addBoxes();
    addContents();
    addLinksToHeadings();
    addCopyButtons();
    keepOptionsWhole();
    openForPaper();
    turnPages();
    markWords();
    markScrolling();
    addEventListener('resize', markScrolling);
    addEventListener('load', markScrolling);
  });
})();

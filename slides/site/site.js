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
      if (link.getAttribute('href') !== pageName()) continue;
      link.setAttribute('aria-current', 'page');
      const side = document.getElementById('side');
      side.scrollTop = link.offsetTop - side.clientHeight / 2;
    }
  }

  // Doxygen writes "A TCP echo <code>" as the same heading level in every version but one; the
  // outermost level that occurs is a section.
  function sections(content) {
    const all = [...content.querySelectorAll('h1, h2, h3')].filter(h => !h.closest('.memitem'));
    const level = Math.min(...all.map(h => Number(h.tagName[1])));
    return all.filter(h => Number(h.tagName[1]) === level);
  }

  function addContents() {
    const content = document.querySelector('div.textblock');
    if (!content || /^(deck_|index|source_)/.test(pageName())) return;
    const headings = sections(content);
    if (headings.length < 3) return;
    const list = element('ul', {});
    for (const heading of headings) {
      const anchor = heading.querySelector('a.anchor');
      const id = heading.id || (anchor && anchor.id);
      if (!id) continue;
      list.append(element('li', {}, element('a', { href: '#' + id }, heading.textContent.trim())));
    }
    document.body.append(element('nav', { id: 'toc', 'aria-label': 'On this page' },
      element('h2', {}, 'On this page'), list));
    const links = [...list.querySelectorAll('a')];
    function follow() {
      let current = 0;
      headings.forEach((heading, i) => {
        if (heading.getBoundingClientRect().top < innerHeight / 4) current = i;
      });
      links.forEach((link, i) => link.classList.toggle('current', i === current));
    }
    addEventListener('scroll', follow, { passive: true });
    follow();
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
      index = window.kitSearchIndex.map(([address, page, section, text]) => ({
        address, page, section, text,
        all: (page + ' ' + section + ' ' + text).toLowerCase(),
        name: page.toLowerCase(), heading: section.toLowerCase()
      }));
    }
    const words = query.toLowerCase().split(/\s+/).filter(word => word);
    if (!words.length) return [];
    const phrase = words.join(' ');
    const found = [];
    for (const entry of index) {
      if (!words.every(word => entry.all.includes(word))) continue;
      let score = 0;
      for (const word of words) {
        if (entry.text === '') {
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
    return found.slice(0, 12).map(one => one.entry);
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

  function addTools() {
    const tools = document.getElementById('tools');
    const field = element('input', {
      type: 'search', id: 'search', placeholder: 'Search', autocomplete: 'off',
      'aria-label': 'Search the site', title: 'Search: press /'
    });
    const results = element('ul', { id: 'results', hidden: '' });
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
      for (const entry of entries) {
        const link = element('a', { href: entry.address }, element('b', {}, entry.section && entry.text
          ? entry.section : entry.page), element('small', {}, entry.text ? entry.page : entry.section));
        if (entry.text) link.append(element('span', {}, ...excerpt(entry.text, query)));
        link.onclick = () => { results.hidden = true; };
        results.append(element('li', {}, link));
      }
      if (!entries.length) results.append(element('li', { class: 'none' }, 'Nothing found.'));
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
    addContents();
  });
})();

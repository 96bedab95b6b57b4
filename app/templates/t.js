(() => {
  'use strict';
  const d = document, me = d.currentScript;
  if (!me || window.gatepost) return;
  const base = me.src.replace(/t\.js([?#].*)?$/, ''), data = me.dataset, site = data.site || '';
  const SELECTOR = 'a[href],area[href]', STORE = 'gatepost';
  const COOKIES = {_fbc: 'fbc', _fbp: 'fbp', _ttp: 'ttp', _ym_uid: 'ym_uid', _ga: 'ga'};
  const BODY = {ym_uid: 'ymUid'};
  const AD = /(^|&)(utm_\w+|\w*clid|clickid|click|subid|cid|sub_?(id_)?\d+|(campaign|adset|ad)_id)=/i;
  const RESERVED = /^(share|proxy|socks|addstickers|addemoji|addtheme|addlist|setlanguage|login|confirmphone|joinchat|giftcode|invoice|contact|boost)$/;
  let names = data.links ? data.links.toLowerCase().split(/[\s,]+/) : null;
  let agreed = data.consent !== 'required', down = false, blocked = false;
  let visit, query = '', done;

  const uuid = () => '10000000-1000-4000-8000-100000000000'.replace(/[018]/g, c =>
    (c ^ crypto.getRandomValues(new Uint8Array(1))[0] & 15 >> c / 4).toString(16));

  // The visit of this tab, and the query with which its ad brought it here.
  const begin = () => {
    const search = location.search.slice(1);
    let kept = null;
    query = '';
    if (agreed) {
      try { kept = JSON.parse(sessionStorage.getItem(STORE)); } catch (e) { /* closed to us */ }
      if (!kept || AD.test(search) && search !== kept.q) {
        kept = {v: !kept && visit || uuid(), q: search};
        try { sessionStorage.setItem(STORE, JSON.stringify(kept)); } catch (e) { /* likewise */ }
      }
      query = kept.q;
    } else {
      try { sessionStorage.removeItem(STORE); } catch (e) { /* likewise */ }
    }
    visit = kept ? kept.v : visit || uuid();
  };

  const ids = () => {
    const found = {};
    if (agreed) for (const part of d.cookie.split('; ')) {
      const at = part.indexOf('='), name = COOKIES[part.slice(0, at)];
      if (name) found[name] = part.slice(at + 1);
    }
    return found;
  };

  const link = () => {
    const found = ids(), own = Object.keys(found).map(name => '&' + name + '=' + encodeURIComponent(found[name]));
    return base + 'c/' + (data.source || site) + '?v=' + visit + '&site=' + site + '&consent=' + +agreed +
      own.join('') + (query && '&' + query);
  };

  const leads = (a, href) => {
    let url;
    try { url = new URL(href, location.href); } catch (e) { return false; }
    const app = url.protocol === 'tg:';
    if (!app && !/^(t\.me|telegram\.me|telegram\.dog)$/.test(url.hostname)) return false;
    const path = app ? url.searchParams.get('domain') || '' : url.pathname.replace(/^\/|\/$/g, '');
    const name = path.toLowerCase(), mark = a.dataset.gatepost;
    if (/^share(\/|$)/.test(name) || /^tg:(\/\/)?(msg|share)/.test(href)) return false;
    if (mark !== undefined) return mark !== 'off';
    return names ? names.includes(name) : /^[a-z]\w{3,31}$/.test(name) && !RESERVED.test(name);
  };

  const fix = a => {
    if (!a.dataset || !a.matches(SELECTOR)) return;
    const href = a.getAttribute('href'), kept = a.dataset.original;
    const ours = kept !== undefined && href.startsWith(base + 'c/'), original = ours ? kept : href;
    if (!down && leads(a, original)) {
      const wanted = link();
      if (href !== wanted) {
        a.dataset.original = original;
        a.setAttribute('href', wanted);
      }
    } else if (ours) {
      a.setAttribute('href', original);
      delete a.dataset.original;
    }
  };

  const fixAll = root => {
    if (root.matches) fix(root);
    if (root.querySelectorAll) root.querySelectorAll(SELECTOR).forEach(fix);
  };

  const report = () => {
    const body = {site, source: data.source, tempId: visit, consent: agreed}, found = ids();
    if (agreed) {
      body.href = location.origin + location.pathname + (query && '?' + query);
      body.referrer = d.referrer;
      for (const name in found) body[BODY[name] || name] = found[name];
    }
    const stop = new AbortController(), timer = setTimeout(() => stop.abort(), 1e4);
    return fetch(base + 'track/visit?site=' + site, {
      method: 'POST', body: JSON.stringify(body), keepalive: true, credentials: 'omit', signal: stop.signal,
    }).then(r => r.ok ? r.json() : r.status === 429 ? {} : Promise.reject()).then(
      answer => {
        if (!names && answer.names) names = answer.names;
      },
      () => { down = !blocked; },
    ).then(() => { clearTimeout(timer); fixAll(d); });
  };

  const start = () => {
    begin();
    fixAll(d);
    done = report();
  };

  // The page's own policy forbids the report, which says nothing about our server.
  d.addEventListener('securitypolicyviolation', e => {
    if (e.effectiveDirective === 'connect-src' && base.startsWith(e.blockedURI.split('/track/')[0])) {
      blocked = true;
      down = false;
      fixAll(d);
    }
  });
  new MutationObserver(list => list.forEach(change => {
    if (change.type === 'attributes') fix(change.target);
    else change.addedNodes.forEach(fixAll);
  })).observe(d.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ['href', 'data-gatepost'],
  });
  // Pixels set their cookies late, so they are read again when the link is pressed.
  const press = e => {
    if (e.type === 'keydown' && e.key !== 'Enter') return;
    const a = e.target.closest && e.target.closest(SELECTOR);
    if (a) fix(a);
  };
  ['pointerdown', 'keydown', 'click'].forEach(type => d.addEventListener(type, press, true));

  window.gatepost = {
    consent: yes => {
      agreed = !!yes;
      start();
    },
    link: () => done.then(() => down ? null : link()),
    get visit() { return visit; },
  };
  start();
})();

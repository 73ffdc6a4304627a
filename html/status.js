/*
 * Keeps the page fresh: asks for its own address with the ETag it has, and
 * swaps <main> and <footer> when there is something new.  A page that is a
 * file says until when it is good, and what is past that time looks so.  The
 * page is whole without this; then a meta refresh does it.
 */
(() => {
    'use strict';

    const script = document.currentScript;
    const every = Number(script.dataset.refresh || 0) * 1000;
    const offline = document.getElementById('offline');
    let etag = null, last = Date.now(), timer = 0, asking = false;

    const clock = (at, options) => at.toLocaleTimeString([], options);

    /* the reader's own time, as precise as the element's datetime is */
    function localTimes() {
        const now = new Date();

        for (const el of document.querySelectorAll('time')) {
            if (!el.dateTime.includes('T')) {
                continue;
            }

            const at = new Date(el.dateTime);
            const options = { hour: '2-digit', minute: '2-digit' };

            if (/:\d\d:\d\dZ/.test(el.dateTime)) {
                options.second = '2-digit';
            }

            let text = clock(at, options);

            if (at.toDateString() !== now.toDateString()) {
                const date = { day: 'numeric', month: 'short' };

                if (at.getFullYear() !== now.getFullYear()) {
                    date.year = 'numeric';
                }

                text = at.toLocaleDateString([], date) + ', ' + text;
            }

            el.title = el.textContent;
            el.textContent = text;
        }
    }

    /*
     * Nobody renews the file any more.  The time is the reader's own: one that
     * a cache sends along may have stood still as long as the page.
     */
    function late() {
        const note = document.getElementById('late');
        const over = !!note && Date.now() > Date.parse(note.querySelector('time').dateTime);

        document.documentElement.classList.toggle('late', over);

        if (over) {
            note.hidden = false;
            document.title = document.title.replace(/^\S+/, '?');
        }

        return over;
    }

    /*
     * What can be focused and is the same to the reader, last first: a check
     * in trouble has a second link above its row's, which comes and goes.
     */
    function alike(el) {
        return [...document.querySelectorAll('main a, summary, .scroll')].reverse().filter((other) =>
            ['href', 'aria-label'].every((name) => other.getAttribute(name) === el.getAttribute(name)));
    }

    function swap(html) {
        const next = new DOMParser().parseFromString(html, 'text/html');
        const source = next.querySelector('script[data-refresh]');

        if (!next.querySelector('main') || !source) {
            throw new Error('not a status page');
        }

        /* the module was updated: its style and script are new, too */
        if (source.getAttribute('src') !== script.getAttribute('src')) {
            location.reload();
            return;
        }

        const focused = document.activeElement;
        const place = alike(focused).indexOf(focused);
        const aside = [...document.querySelectorAll('.scroll')].map((el) => el.scrollLeft);
        const open = [...document.querySelectorAll('details')].map((el) => el.open);

        for (const part of ['main', 'footer', 'title', 'link[rel=icon]']) {
            const from = next.querySelector(part), to = document.querySelector(part);

            if (from && to && from.outerHTML !== to.outerHTML) {
                to.replaceWith(document.adoptNode(from));
            }
        }

        localTimes();
        late();

        document.querySelectorAll('.scroll').forEach((el, i) => {
            el.scrollLeft = aside[i] || 0;
        });

        document.querySelectorAll('details').forEach((el, i) => {
            el.open = open[i] || false;
        });

        if (place >= 0 && !focused.isConnected) {
            const all = alike(focused);

            all[Math.min(place, all.length - 1)]?.focus({ preventScroll: true });
        }
    }

    async function ask() {
        clearTimeout(timer);

        if (document.hidden || asking) {
            return;
        }

        const over = late();

        /* no script may read files; and one that is past its time stays so */
        if (location.protocol === 'file:') {
            if (!over && getSelection().isCollapsed) {
                location.reload();
            }

            timer = setTimeout(ask, every);
            return;
        }

        asking = true;

        try {
            const answer = await fetch(location.href.split('#')[0], {
                cache: 'no-store',
                headers: etag ? { 'If-None-Match': etag } : {},
                signal: AbortSignal.timeout?.(Math.max(every, 10000))
            });

            if (answer.status === 200) {
                const html = await answer.text();

                /* not while the reader marks text, which a swap would undo */
                if (getSelection().isCollapsed) {
                    swap(html);
                    etag = answer.headers.get('ETag');
                }

            } else if (answer.status !== 304) {
                throw new Error(answer.status);
            }

            last = Date.now();
            offline.hidden = true;

        } catch (e) {
            offline.querySelector('span').textContent
                = clock(new Date(last), { hour: '2-digit', minute: '2-digit' });
            offline.hidden = false;
        }

        asking = false;
        timer = setTimeout(ask, every);
    }

    localTimes();
    late();

    if (every) {
        timer = setTimeout(ask, every);

        document.addEventListener('visibilitychange', () => {
            clearTimeout(timer);

            if (!document.hidden) {
                timer = setTimeout(ask, Math.max(0, last + every - Date.now()));
            }
        });
    }
})();

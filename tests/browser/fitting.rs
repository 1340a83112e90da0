//! Every page on every width, in both themes.

use serde_json::json;

use crate::server::{PAGES, with};

#[test]
#[ignore = "needs chromium"]
fn pages_fit_every_width_in_both_themes_and_complain_of_nothing() {
    let (server, mut browser) = with("");
    for theme in ["light", "dark"] {
        browser.theme(theme);
        for width in [390, 1024, 1440, 2560] {
            browser.size(width, 900);
            for page in PAGES {
                browser.open(&server.url(page));
                let over = browser.value("Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)");
                assert_eq!(over, json!(0), "{page} scrolls sideways on {width}");
                let main = browser.value("document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth");
                assert_eq!(main, json!(0), "{page} is wider than its room on {width}");
                assert_eq!(browser.value(SIDEWAYS), json!([]), "{page} on {width}");
                assert_eq!(browser.value(HOLES), json!([]), "{page} on {width}");
                assert_eq!(browser.value(NAMELESS), json!([]), "{page} on {width}");
                assert_eq!(browser.value(CONTRAST), json!([]), "{page} in {theme} on {width}");
            }
        }
    }
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}

/// What is wider than its room and is no table, heat map or the bar of filters.
pub(crate) const SIDEWAYS: &str = "[...document.querySelectorAll('main *, .top *, .rail')] \
     .filter((one) => one.scrollWidth > one.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(one).overflowX)) \
     .filter((one) => !one.matches('.scroll, .asked')).map((one) => one.outerHTML.slice(0, 100))";

/// Lines of panels that do not reach the end of their room, or panels of one line that are not as high as one another.
const HOLES: &str = "(() => { const holes = [];
     for (const grid of document.querySelectorAll('main .grid')) {
         const lines = new Map(), end = grid.getBoundingClientRect().right;
         for (const panel of grid.children) {
             const box = panel.getBoundingClientRect();
             if (box.width) lines.set(box.top, [...lines.get(box.top) ?? [], box]);
         }
         for (const boxes of lines.values()) {
             const right = Math.max(...boxes.map((box) => box.right)), heights = boxes.map((box) => box.height);
             if (Math.abs(right - end) > 1 || Math.max(...heights) - Math.min(...heights) > 1) holes.push([boxes.length, right, end]);
         }
     }
     return holes; })()";

/// What can be used and has no name that is read out.
const NAMELESS: &str = "[...document.querySelectorAll('a, button, summary, select, input:not([type=hidden]), [tabindex=\"0\"]')] \
     .filter((one) => one.checkVisibility() && !one.innerText?.trim() && !one.ariaLabel && !one.labels?.length && !one.querySelector('[aria-label]')) \
     .map((one) => one.outerHTML.slice(0, 100))";

/// Text that stands out too little from what is behind it (WCAG 2.2, 1.4.3).
pub(crate) const CONTRAST: &str = r"(() => {
    const context = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
    const over = (below, color) => {
        context.fillStyle = `rgb(${below})`; context.fillRect(0, 0, 1, 1);
        context.fillStyle = color; context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const behind = (element) => {
        if (!element) return [255, 255, 255];
        return over(behind(element.parentElement), getComputedStyle(element).backgroundColor);
    };
    const light = (color) => color.map((part) => part / 255).map((part) => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [.2126, .7152, .0722][place], 0);
    const weak = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!own || !element.checkVisibility({checkOpacity: true}) || element.closest('.skip, .hidden, svg, option, datalist')) continue;
        const style = getComputedStyle(element), below = behind(element), color = over(below, style.color);
        const [high, low] = [light(color), light(below)].sort((a, b) => b - a), ratio = (high + .05) / (low + .05);
        if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) weak.push(`${element.className} ${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return [...new Set(weak)].slice(0, 8);
})()";

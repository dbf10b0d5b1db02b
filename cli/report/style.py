"""The style sheet of the page."""

STYLE = """
:root{color-scheme:light dark;--back:#fff;--text:#1a1a1a;--muted:#555;--line:#c4c4c4;--link:#0b57a8;
--good:#1a7f37;--failed:#b3261e;--missed:#8a5200;--building:#0b63b0;--deleted:#5b8466;--none:#767676}
@media (prefers-color-scheme:dark){:root{--back:#14171a;--text:#e8e8e8;--muted:#b4b4b4;--line:#50555a;--link:#7ab8ff;
--good:#4ac26b;--failed:#ff8a80;--missed:#e3b341;--building:#58a6ff;--deleted:#7fa88a;--none:#8f8f8f}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--back);color:var(--text);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:0}h2{font-size:1.2rem;margin:1.5rem 0 .25rem}h3{font-size:1rem;margin:0}
p{margin:0}a{color:var(--link)}a:focus-visible{outline:3px solid currentColor;outline-offset:2px}
header p,footer,.id{color:var(--muted)}.id{font-size:.875rem}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
ul{margin:.25rem 0;padding-left:1.25rem}
span.wrong{color:var(--failed)}span.well{color:var(--good)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}
tbody th{font-weight:600;min-width:6rem}td:nth-child(3){min-width:6.5rem}
article{border:1px solid var(--line);border-left-width:.4rem;padding:.6rem .75rem;margin:.75rem 0;break-inside:avoid}
article.wrong{border-left-color:var(--failed)}
.finding{color:var(--failed);font-weight:600}.finding::before{content:"! "}
svg{fill:var(--text)}.strip{display:block;width:100%;height:2rem;margin:.4rem 0}
.good{fill:var(--good)}.failed{fill:var(--failed)}.missed{fill:var(--missed)}.building{fill:var(--building)}
.deleted{fill:var(--deleted)}.none{fill:var(--none)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;padding:0}
.legend svg{width:1.5rem;height:1.25rem;vertical-align:middle}
dl{margin:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr));gap:.25rem 1rem}
dt{color:var(--muted);font-size:.875rem}dd{margin:0}
@media (forced-colors:active){svg,.strip path,.legend path{fill:CanvasText;forced-color-adjust:none}}
@media print{:root{--back:#fff;--text:#000;--muted:#333;--line:#999;--link:#000;--good:#1a7f37;--failed:#b3261e;
--missed:#8a5200;--building:#0b63b0;--deleted:#5b8466;--none:#767676}body{max-width:none;padding:0;font-size:10pt}
.skip{display:none}.strip{height:1.25rem;print-color-adjust:exact}}
"""

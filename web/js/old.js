// Only browsers that do not support modules run this file. They run nothing else of this page, so it has its few texts
// itself.
var texts = {
  en: "This browser is too old for Imprompt. A current Chrome or Edge can show it.",
  de: "Dieser Browser ist zu alt für Imprompt. Ein aktueller Chrome oder Edge kann es zeigen.",
  es: "Este navegador es demasiado antiguo para Imprompt. Un Chrome o Edge actual puede mostrarlo.",
  ja: "このブラウザーは古すぎて Imprompt を表示できません。現在の Chrome か Edge なら表示できます。",
  zh: "此浏览器太旧，无法显示 Imprompt。请使用当前版本的 Chrome 或 Edge。"
};
var code = (navigator.language || "en").split("-")[0];
document.getElementById("boot-status").textContent = texts.hasOwnProperty(code) ? texts[code] : texts.en;
document.getElementById("boot-bar").style.display = "none";

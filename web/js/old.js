// Only browsers that do not support modules run this file. They run nothing else of this page.
document.getElementById("boot-status").textContent = "This browser is too old for Imprompt. A current Chrome or Edge can show it.";
document.getElementById("boot-bar").style.display = "none";

"use strict";
require("./main.js").run("drift-detection");

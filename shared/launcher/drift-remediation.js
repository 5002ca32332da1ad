"use strict";
require("./main.js").run("drift-remediation");

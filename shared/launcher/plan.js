"use strict";
require("./main.js").run("plan");

"use strict";
require("./main.js").run("apply");

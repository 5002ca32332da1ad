cidr     = "10.1.0.0/16"
zones    = ["a", "b"]
services = { mail = { days = 7 }, orders = { days = 30 } }

stack    = "acme-ue2-dev"
image    = "api:1.4.0"
replicas = 2

stack    = "acme-ue2-prod"
image    = "api:1.4.0"
replicas = 2

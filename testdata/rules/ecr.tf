provider "aws" {
  region = "eu-west-1"
}

# The prefix stands for every image of Docker Hub.
resource "aws_ecr_pull_through_cache_rule" "docker_hub" {
  ecr_repository_prefix = "docker-hub"
  upstream_registry_url = "registry-1.docker.io"
  credential_arn        = aws_secretsmanager_secret.docker_hub.arn
}

resource "aws_ecr_pull_through_cache_rule" "acme" {
  ecr_repository_prefix      = "github"
  upstream_registry_url      = "ghcr.io"
  upstream_repository_prefix = "acme"
  credential_arn             = aws_secretsmanager_secret.docker_hub.arn
}

resource "aws_secretsmanager_secret" "docker_hub" {
  name = "ecr-pullthroughcache/docker-hub"
}

//! The official images of Docker Hub: the only names there with one part.

/// Their names, those of images that are kept and no longer built among them. Source: the folder
/// `library` of docker-library/official-images.
#[rustfmt::skip]
const OFFICIAL: &[&str] = &[
    "adminer", "aerospike", "almalinux", "alpine", "alt", "amazoncorretto", "amazonlinux", "api-firewall",
    "arangodb", "archlinux", "backdrop", "bash", "bonita", "buildpack-deps", "busybox", "caddy",
    "cassandra", "centos", "chronograf", "cirros", "clearlinux", "clefos", "clickhouse", "clojure",
    "composer", "consul", "convertigo", "couchbase", "couchdb", "crate", "dart", "debian", "docker",
    "drupal", "eclipse-mosquitto", "eclipse-temurin", "eggdrop", "elasticsearch", "elixir", "emqx",
    "erlang", "euleros", "express-gateway", "fedora", "flink", "fluentd", "friendica", "gazebo", "gcc",
    "geonetwork", "ghost", "golang", "gradle", "groovy", "haproxy", "haskell", "haxe", "hello-world",
    "hitch", "httpd", "hylang", "ibm-semeru-runtimes", "ibmjava", "influxdb", "irssi", "jenkins",
    "jetty", "jobber", "joomla", "jruby", "julia", "kaazing-gateway", "kapacitor", "kibana", "known",
    "kong", "krakend", "lightstreamer", "liquibase", "logstash", "mageia", "mariadb", "matomo", "maven",
    "mediawiki", "memcached", "mongo", "mongo-express", "monica", "mono", "mysql", "nats",
    "nats-streaming", "neo4j", "neurodebian", "nextcloud", "nginx", "node", "notary", "nuxeo", "odoo",
    "open-liberty", "openjdk", "opensuse", "oraclelinux", "orientdb", "percona", "perl", "photon", "php",
    "php-zendserver", "phpmyadmin", "piwik", "plone", "postfixadmin", "postgres", "pypy", "python",
    "r-base", "rabbitmq", "rakudo-star", "rapidoid", "redis", "redmine", "registry", "rethinkdb",
    "rocket.chat", "rockylinux", "ros", "ruby", "rust", "sapmachine", "scratch", "sentry", "silverpeas",
    "sl", "solr", "sonarqube", "sourcemage", "spark", "spiped", "storm", "swarm", "swift", "swipl",
    "teamspeak", "telegraf", "thrift", "tomcat", "tomee", "traefik", "ubuntu", "ubuntu-debootstrap",
    "unit", "valkey", "varnish", "vault", "websphere-liberty", "wordpress", "xwiki", "yourls", "znc",
    "zookeeper",
];

/// Whether a name of one part is that of an official image.
pub fn is_official(name: &str) -> bool {
    OFFICIAL.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(OFFICIAL.is_sorted());
        assert!(is_official("nginx"));
        assert!(!is_official("acme"));
    }
}

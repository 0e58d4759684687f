"""The labels and words that name an object, by the kind of object that they name."""

from openclaw_stream.alerts.subject import HOST, NODE, SERVICE

DIMENSIONS = {
    **dict.fromkeys(("InstanceId", "instanceId"), HOST),
    **dict.fromkeys(
        ("DBInstanceIdentifier", "DBClusterIdentifier", "CacheClusterId", "ReplicationGroupId"), "database"
    ),
    "SourceIdentifier": "database",
    "DomainName": "database",
    "TableName": "table",
    "FunctionName": "function",
    **dict.fromkeys(("QueueName", "queue_id"), "queue"),
    "TopicName": "topic",
    **dict.fromkeys(("StreamName", "DeliveryStreamName"), "stream"),
    "StateMachineArn": "statemachine",
    "AutoScalingGroupName": "autoscalinggroup",
    "LoadBalancer": "loadbalancer",
    "LoadBalancerName": "loadbalancer",
    "NatGatewayId": "natgateway",
    "FileSystemId": "filesystem",
    "VolumeId": "volume",
    "TransitGateway": "transitgateway",
    "VpnId": "vpn",
    "DistributionId": "distribution",
    "ApiName": "api",
    "BucketName": "bucket",
    "ClusterName": "cluster",
    "ClusterIdentifier": "cluster",
    "database_id": "database",
    "package": "application",
    "device": "device",
    "cluster": "cluster",
    "backup_job": "backupjob",
    "zone": "zone",
    **dict.fromkeys(("project", "project_id"), "project"),
    **dict.fromkeys(("account", "account_id"), "account"),
}
"""Labels that name an object by themselves, the most precise first: dimensions of CloudWatch, then common ones."""

STATED = {
    "certificatename": "certificate",
    "subjectcn": "certificate",
    "name": "",
    "exportedname": "",
    "claimname": "claim",
    "application": "application",
    "app": "application",
    "queue": "queue",
    "table": "table",
    "servername": HOST,
    "host": HOST,
    "device": "device",
    "volume": "volume",
    "controller": "controller",
    "warehouse": "warehouse",
    "subscriptionid": "subscription",
    "gateway": "gateway",
    "bucket": "bucket",
    "pool": "pool",
    "kubernetesname": "",
    "cluster": "cluster",
    "clusterid": "cluster",
}
"""Labels that name an object if the sentence has their value; an empty kind stands for the word before the value."""

PRODUCTS = ("thanos", "prometheus", "alertmanager", "loki", "tempo", "mimir", "grafana", "vmagent", "ruler")
"""Products that name their own instances by a label of their name."""

MEASURED = {
    "consumergroup": "consumergroup",
    "consumergroupid": "consumergroup",
    "groupid": "consumergroup",
    "queue": "queue",
    "taskqueue": "queue",
    "applicationname": "application",
    "appname": "application",
    "taskname": "task",
    "unit": SERVICE,
    "device": "device",
}
"""Labels of what exporters of brokers, schedulers and devices measure."""

NAMED = {
    **dict.fromkeys(("queuename", "queue"), "queue"),
    **dict.fromkeys(("consumergroup", "consumergroupid"), "consumergroup"),
    **dict.fromkeys(("tablename", "table"), "table"),
    **dict.fromkeys(("collection", "keyspace", "index", "bucket", "stanza", "repository", "pipeline", "workflow")),
    **dict.fromkeys(("replicaset", "rs", "replicasetname"), "replicaset"),
    **dict.fromkeys(("databasename", "database", "datname", "dbname"), "database"),
    **dict.fromkeys(("dagid", "dag"), "dag"),
    **dict.fromkeys(("entityname", "servicename", "serviceid"), SERVICE),
    **dict.fromkeys(("application", "applicationname", "appname", "appid", "app"), "application"),
    **dict.fromkeys(("subnet", "subnetid"), "subnet"),
    **dict.fromkeys(("role", "rolename"), "role"),
    **dict.fromkeys(("connectionname", "tunnel", "vpn"), "connection"),
    **dict.fromkeys(("domain", "domainname"), "domain"),
    **dict.fromkeys(("filer", "volume", "datastore", "broker", "bookie", "sensor", "site", "component", "monitor")),
    "integration": None,
    **dict.fromkeys(("resource", "resourcename", "name"), "resource"),
    **dict.fromkeys(("clustername", "cluster", "clusterid"), "cluster"),
}
"""Labels that name an object where nothing else does, the most precise first; without a kind the label's name is it."""

OBJECT_WORDS = {
    **dict.fromkeys(("application", "app", "certificate", "claim", "cluster", "controller", "database", "device")),
    **dict.fromkeys(("job", "machine", "pool", "project", "queue", "quota", "release", "router", "switch")),
    **dict.fromkeys(("secret", "table", "topic", "tunnel", "volume", "webhook")),
    HOST: HOST,
    "cert": "certificate",
    "server": HOST,
    NODE: NODE,
}
"""Words before a name, by the kind that they mean; without one the word is it."""

ATTRIBUTES = frozenset(
    (
        *("alertname", "severity", "priority", "status", "state", "team", "owner", "env", "environment"),
        *("stage", "tier", "region", "zone", "location", "datacenter", "dc", "cluster", "clusterid"),
        *("clustername", "namespace", "tenant", "job", "instance", "prometheus", "monitor", "source"),
        *("exporter", "endpoint", "metric", "metricname", "query", "version", "release", "revision", "build"),
        *("commit", "image", "tag", "branch", "os", "browser", "platform", "reason", "error", "code"),
        *("message", "lasterror", "lastlog", "signal", "path", "url", "uri", "method", "stack", "user"),
        *("username", "client", "clientip", "ip", "peerip", "address", "usagetype", "device", "unit", "type"),
        *("kind", "level", "rule", "policy", "schedule", "check", "runbook", "dashboard", "currency", "model"),
        *("vendor", "verb"),
    )
)
"""Labels of what surrounds, measures or describes an object, and is none."""

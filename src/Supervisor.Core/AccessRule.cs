using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Supervisor.Core;

/// <summary><c>[access.NAME]</c>: what a user or the members of a group may do with services.</summary>
public sealed record AccessRule
{
    /// <summary>The name in the configuration.</summary>
    public required string Name { get; init; }

    /// <summary>The user, by name or number; null if the rule names none.</summary>
    public string? User { get; init; }

    /// <summary>The group, by name or number; null if the rule names none.</summary>
    public string? Group { get; init; }

    /// <summary>The names of the services; <see cref="EveryService"/> is all of them.</summary>
    public ImmutableArray<string> Services { get; init; } = [];

    /// <summary>What may be done with them.</summary>
    public ImmutableArray<AccessVerb> Verbs { get; init; } = [];

    /// <summary>The name that stands for all services.</summary>
    public const string EveryService = "*";

    /// <summary>Whether the rule is about that service; a null name is the daemon as a whole.</summary>
    public bool Covers(string? service) =>
        Services.Contains(EveryService) || (service is not null && Services.Contains(service));

    /// <summary>By value, lists included.</summary>
    public bool Equals(AccessRule? other) => other is not null && (Name, User, Group) == (other.Name, other.User, other.Group)
        && Services.SequenceEqual(other.Services) && Verbs.SequenceEqual(other.Verbs);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, User, Group, Services.Length, Verbs.Length);
}

/// <summary>What a rule can permit: a verb of listenctl.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AccessVerb>))]
public enum AccessVerb
{
    /// <summary>See the service and its workers.</summary>
    Status,

    /// <summary>Read what its workers write.</summary>
    Logs,

    /// <summary>Read its events.</summary>
    Events,

    /// <summary>Start it.</summary>
    Start,

    /// <summary>Stop it.</summary>
    Stop,

    /// <summary>Replace its workers.</summary>
    Restart,

    /// <summary>Promote its canary.</summary>
    Promote,

    /// <summary>Roll its roll-out back.</summary>
    Abort,

    /// <summary>Change its number of workers.</summary>
    Scale,

    /// <summary>Send its workers a signal.</summary>
    Signal,

    /// <summary>Reload the configuration; only for all services.</summary>
    Reload,
}

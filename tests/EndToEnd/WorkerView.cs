using System.Text.Json;
using System.Text.Json.Nodes;

namespace Supervisor.EndToEnd;

/// <summary>The report of workers/inspect.c.</summary>
internal sealed record WorkerView(
    IReadOnlyList<WorkerDescriptor> Descriptors,
    IReadOnlyList<string> Environment,
    ulong Blocked,
    IReadOnlyList<int> NotDefault,
    string Directory,
    int Pid,
    int Parent,
    int Session,
    int Group,
    int Umask,
    int Nice,
    int NoNewPrivileges,
    IReadOnlyList<uint> Uid,
    IReadOnlyList<uint> Gid,
    IReadOnlyList<uint> Groups,
    IReadOnlyList<IReadOnlyList<long>> Limits,
    IReadOnlyDictionary<string, string> Capabilities,
    int Through,
    IReadOnlyDictionary<string, JsonNode> Accepted,
    IReadOnlyList<IReadOnlyDictionary<string, JsonNode>> Listeners)
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Parses the answer of the worker.</summary>
    public static WorkerView Parse(string json) => JsonSerializer.Deserialize<WorkerView>(json, Options)!;

    /// <summary>The value of a variable; null without it.</summary>
    public string? Variable(string name) =>
        Environment.SingleOrDefault(pair => pair.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
}

/// <summary>One open descriptor.</summary>
internal sealed record WorkerDescriptor(int Fd, bool CloseOnExec, int Mode, string Target);

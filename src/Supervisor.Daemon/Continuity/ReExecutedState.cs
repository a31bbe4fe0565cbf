using System.Collections.Immutable;
using System.Globalization;
using Supervisor.Core.State;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Performance;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>The new program's side of a re-execution: it finds the state in the descriptor that a variable names.</summary>
internal static class ReExecutedState
{
    /// <summary>The environment variable with the number of the state's descriptor.</summary>
    public const string Variable = "LISTEND_RESUME";

    /// <summary>Whether this program was executed by a previous daemon in the same process.</summary>
    public static bool IsPresent => Environment.GetEnvironmentVariable(Variable) is not null;

    /// <summary>
    /// The state of the daemon that executed this program; null if no daemon did. <paramref name="error"/> is why the state cannot be
    /// used, although it was checked before. Closes every inherited descriptor that the state does not name.
    /// </summary>
    public static PreviousDaemonState? Take(out string? error)
    {
        error = null;
        if (Environment.GetEnvironmentVariable(Variable) is not { } text
            || Read(text, Processes.CurrentPid, out var manifest, out var unknown, out error) is not { } number)
        {
            return null;
        }

        var numbers = manifest!.Descriptors ?? ImmutableSortedDictionary<string, int>.Empty;
        StrayDescriptors.Close(new HashSet<int>(numbers.Values) { number });
        return new PreviousDaemonState(SuccessionWay.ReExecuted, manifest, unknown!, IncomingDescriptors.FromNumbers(numbers));
    }

    /// <summary>
    /// Reads the state of process <paramref name="pid"/>, closes its descriptor and returns the descriptor's number; null with the
    /// reason if the variable does not name such a state.
    /// </summary>
    internal static int? Read(string variable, int pid, out DaemonManifest? manifest, out UnknownFields? unknown, out string? error)
    {
        (manifest, unknown) = (null, null);
        if (!int.TryParse(variable, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            error = $"{Variable}=\"{variable}\" is not the number of a descriptor";
            return null;
        }

        using var memory = new DescriptorHandle(number);
        if (Succession.ReadSealed(memory, out var refused) is not { } bytes)
        {
            memory.SetHandleAsInvalid();
            error = $"{Variable}={number} is not a sealed memory file{(refused is { } why ? $": {why}" : "")}";
            return null;
        }

        CollectionPause.BeginForState(bytes.Length);
        if (!ManifestFormat.TryRead(bytes, out manifest, out unknown, out error))
        {
            return null;
        }

        error = manifest.Pid == pid ? null : $"{Variable}={number} is the state of process {manifest.Pid}, not of this one ({pid})";
        return error is null ? number : null;
    }
}

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
        if (Environment.GetEnvironmentVariable(Variable) is not { } variable
            || Read(variable, Processes.CurrentPid, out var manifest, out var unknown, out error) is not { } text)
        {
            return null;
        }

        var numbers = manifest!.Descriptors ?? new Dictionary<string, int>();
        StrayDescriptors.Close(numbers.Values.ToHashSet());
        return new PreviousDaemonState(SuccessionWay.ReExecuted, manifest, unknown!, IncomingDescriptors.FromNumbers(numbers))
        {
            Text = text,
        };
    }

    /// <summary>
    /// Reads the state of process <paramref name="pid"/> and closes its descriptor. Returns the text of the state, which the caller owns:
    /// the histories in the manifest need it. Null with the reason if the variable does not name such a state.
    /// </summary>
    internal static MappedFile? Read(
        string variable, int pid, out DaemonManifest? manifest, out UnknownFields? unknown, out string? error)
    {
        (manifest, unknown) = (null, null);
        if (!int.TryParse(variable, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            error = $"{Variable}=\"{variable}\" is not the number of a descriptor";
            return null;
        }

        ManifestFormat.PrepareToRead();
        using var memory = new DescriptorHandle(number);
        var text = Succession.MapSealed(memory, out var refused);
        if (text is null)
        {
            memory.SetHandleAsInvalid();
            error = $"{Variable}={number} is not a sealed memory file{(refused is { } why ? $": {why}" : "")}";
            return null;
        }

        CollectionPause.BeginForState(text.Memory.Length);
        if (ManifestFormat.TryRead(text.Memory, out manifest, out unknown, out error))
        {
            error = manifest.Pid == pid
                ? null
                : $"{Variable}={number} is the state of process {manifest.Pid}, not of this one ({pid})";
        }

        if (error is null)
        {
            return text;
        }

        text.Dispose();
        return null;
    }
}

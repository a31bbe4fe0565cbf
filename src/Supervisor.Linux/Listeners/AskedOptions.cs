using Supervisor.Core.Listeners.History;
using Supervisor.Core.Listeners.Options;

namespace Supervisor.Linux.Listeners;

/// <summary>The options that were asked of a listener's sockets, and what came of each. On the loop.</summary>
public sealed class AskedOptions
{
    private (SocketOption Option, OptionValue Requested, OptionValue? Effective, Verdict Verdict)[] _all = [];

    /// <summary>All of them, in the order in which they were first asked for.</summary>
    internal IReadOnlyList<(SocketOption Option, OptionValue Requested, OptionValue? Effective, Verdict Verdict)> All => _all;

    /// <summary>Whether the maker of an inherited socket had overruled one.</summary>
    internal bool HasInherited => Array.Exists(_all, asked => asked.Verdict == Verdict.Inherited);

    /// <summary>What was asked of an option, and what came of it; null if nothing was asked.</summary>
    public (OptionValue Requested, OptionValue? Effective, Verdict Verdict)? Of(SocketOption option) =>
        IndexOf(option) is var index and >= 0 ? (_all[index].Requested, _all[index].Effective, _all[index].Verdict) : null;

    /// <summary>Records a requested option and its result.</summary>
    internal void Remember(SocketOption option, OptionValue requested, OptionValue? effective, Verdict verdict)
    {
        var index = IndexOf(option);
        if (index < 0)
        {
            index = _all.Length;
            Array.Resize(ref _all, index + 1);
        }

        _all[index] = (option, requested, effective, verdict);
    }

    /// <summary>Forgets that an option was asked for.</summary>
    internal void Forget(SocketOption option) => _all = Array.FindAll(_all, asked => asked.Option != option);

    /// <summary>Forgets all.</summary>
    internal void Clear() => _all = [];

    private int IndexOf(SocketOption option) => Array.FindIndex(_all, asked => asked.Option == option);
}

using System.Collections.Immutable;
using Supervisor.Core.Listeners;
using Supervisor.Core.Services;
using Supervisor.Core.State;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// A state that was written for a check by another executable. The state for its execution copies from it what has not changed since:
/// with thousands of listeners, writing them anew would keep clients waiting. On the loop.
/// </summary>
/// <param name="config">The configuration that it has.</param>
internal sealed class StateDraft(ConfigEntry config) : IDisposable
{
    private readonly Dictionary<ListenerHandle, Drafted> _listeners = [];
    private MappedFile? _text;

    /// <summary>What a listener was when it was written.</summary>
    /// <param name="Index">Its index in the draft's list.</param>
    /// <param name="Spec">What was configured.</param>
    /// <param name="Fingerprint"><see cref="ListenerSnapshot.Fingerprint"/>.</param>
    /// <param name="Count">How many entries its history has had.</param>
    /// <param name="IsNonBlocking"><see cref="ListenerEntry.IsNonBlocking"/>.</param>
    private readonly record struct Drafted(int Index, ListenerSpec Spec, int Fingerprint, long Count, bool IsNonBlocking);

    /// <summary>Whether the state for the execution is written over a copy of the draft: what has kept its place is not written.</summary>
    public bool IsCopied { private get; set; }

    /// <summary>Where the elements of its lists are.</summary>
    public WrittenLists Lists { get; } = new();

    /// <summary>Notes the next listener that is written.</summary>
    public void Note(ListenerHandle handle, ListenerEntry entry, int fingerprint) =>
        _listeners[handle] = new Drafted(_listeners.Count, handle.Spec, fingerprint, handle.History.Count, entry.IsNonBlocking);

    /// <summary>The draft is complete, in a sealed memory file that the caller keeps.</summary>
    public void Complete(DescriptorHandle memory) => _text = MappedFile.Of(memory, out _);

    /// <summary>The listeners of a configuration for another state.</summary>
    public IEnumerable<ListPart<ListenerSpec>> ConfigListeners(ConfigEntry now) =>
        Same(now.Listeners, config.Listeners, Lists.ConfigListeners);

    /// <summary>The services of a configuration for another state.</summary>
    public IEnumerable<ListPart<ServiceSpec>> ConfigServices(ConfigEntry now) =>
        Same(now.Services, config.Services, Lists.ConfigServices);

    /// <summary>The listeners for another state: those that have not changed as text, in as few parts as possible.</summary>
    /// <param name="handles">The listeners as they are now.</param>
    /// <param name="fingerprint"><see cref="ListenerSnapshot.Fingerprint"/>.</param>
    /// <param name="write">The entry of a listener that has changed.</param>
    public IEnumerable<ListPart<ListenerEntry>> Listeners(
        IEnumerable<ListenerHandle> handles, Func<ListenerHandle, int> fingerprint, Func<ListenerHandle, ListenerEntry> write)
    {
        var (first, count) = (0, 0);
        foreach (var handle in handles)
        {
            var index = UnchangedIndex(handle, fingerprint);
            if (count > 0 && index != first + count)
            {
                yield return Lists.Listeners.Part<ListenerEntry>(_text!.Memory, first, count, IsCopied);
                count = 0;
            }

            if (index is null)
            {
                yield return new ListPart<ListenerEntry>(write(handle));
                continue;
            }

            first = count == 0 ? index.Value : first;
            count++;
        }

        if (count > 0)
        {
            yield return Lists.Listeners.Part<ListenerEntry>(_text!.Memory, first, count, IsCopied);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _text?.Dispose();

    private int? UnchangedIndex(ListenerHandle handle, Func<ListenerHandle, int> fingerprint) =>
        _text is not null && _listeners.TryGetValue(handle, out var drafted) && ReferenceEquals(drafted.Spec, handle.Spec)
            && drafted.Count == handle.History.Count && drafted.Fingerprint == fingerprint(handle)
            && drafted.IsNonBlocking == (handle.Descriptor is { } open && Descriptors.IsNonBlocking(open))
            ? drafted.Index
            : null;

    /// <summary>All of a list at once if it is the same list, else its elements.</summary>
    private IEnumerable<ListPart<T>> Same<T>(ImmutableArray<T> now, ImmutableArray<T> drafted, WrittenList written)
        where T : class =>
        _text is not null && now == drafted && written.Count > 0
            ? [written.Part<T>(_text.Memory, 0, written.Count, IsCopied)]
            : now.Select(static element => new ListPart<T>(element));
}

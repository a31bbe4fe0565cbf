using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Supervisor.Core.State;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>The descriptors received from a predecessor, by key. Owns each descriptor until it is taken.</summary>
public sealed class IncomingDescriptors : IDisposable
{
    private readonly Dictionary<string, DescriptorHandle> _descriptors = new(StringComparer.Ordinal);

    /// <summary>The keys of the descriptors that were not taken.</summary>
    public IReadOnlyCollection<string> Remaining => _descriptors.Keys;

    /// <summary>The descriptors that this process has inherited by number, without those that are not open.</summary>
    public static IncomingDescriptors FromNumbers(IEnumerable<KeyValuePair<string, int>> numbers)
    {
        var incoming = new IncomingDescriptors();
        foreach (var (key, number) in numbers)
        {
            var descriptor = new DescriptorHandle(number);
            if (Descriptors.SetCloseOnExec(descriptor) is null)
            {
                incoming._descriptors.Add(key, descriptor);
            }
            else
            {
                descriptor.SetHandleAsInvalid();
            }
        }

        return incoming;
    }

    /// <summary>
    /// All descriptors of LISTEN_FDS, by name: those that a predecessor put into systemd's descriptor store, and those that
    /// systemd itself passes, whose names get a number each.
    /// </summary>
    public static IncomingDescriptors FromListenFds()
    {
        var incoming = new IncomingDescriptors();
        var index = 0;
        foreach (var (name, descriptor) in InheritedDescriptors.FromEnvironment(out _, most: int.MaxValue).TakeAll())
        {
            if (!incoming._descriptors.TryAdd(name, descriptor))
            {
                incoming._descriptors.Add(string.Create(CultureInfo.InvariantCulture, $"{name}#{index}"), descriptor);
            }

            index++;
        }

        return incoming;
    }

    /// <summary>Whether LISTEN_FDS includes a descriptor that a predecessor stored.</summary>
    public static bool IsStored => Environment.GetEnvironmentVariable("LISTEN_FDNAMES")?.Split(':')
        .Any(name => name == DescriptorKey.State || DescriptorKey.ListenerName(name) is not null) == true;

    /// <summary>Adds a descriptor and takes it over; closes it if the key exists already.</summary>
    public void Add(string key, DescriptorHandle descriptor)
    {
        if (!_descriptors.TryAdd(key, descriptor))
        {
            descriptor.Dispose();
        }
    }

    /// <summary>Whether there is a descriptor with that key.</summary>
    public bool Has(string key) => _descriptors.ContainsKey(key);

    /// <summary>Hands the descriptor over to the caller; null if there is none with that key.</summary>
    public DescriptorHandle? Take(string key) => _descriptors.Remove(key, out var descriptor) ? descriptor : null;

    /// <summary>Hands the descriptor over to the caller; null if there is none with that key.</summary>
    public bool TryTake(string key, [NotNullWhen(true)] out DescriptorHandle? descriptor) => _descriptors.Remove(key, out descriptor);

    /// <summary>Hands all remaining descriptors over to the caller.</summary>
    public IReadOnlyList<DescriptorHandle> TakeAll()
    {
        DescriptorHandle[] all = [.. _descriptors.Values];
        _descriptors.Clear();
        return all;
    }

    /// <summary>The descriptor with that key, which stays here; null if there is none.</summary>
    public DescriptorHandle? Peek(string key) => _descriptors.GetValueOrDefault(key);

    /// <summary>
    /// Gives up all descriptors without closing them: the caller takes them over by number. Without this a handle's finalizer
    /// would close the number, which may belong to another file by then.
    /// </summary>
    public void Forget()
    {
        foreach (var descriptor in _descriptors.Values)
        {
            descriptor.SetHandleAsInvalid();
        }

        _descriptors.Clear();
    }

    /// <summary>Closes all descriptors that were not taken.</summary>
    public void Dispose()
    {
        foreach (var descriptor in _descriptors.Values)
        {
            descriptor.Dispose();
        }

        _descriptors.Clear();
    }
}

using System.Globalization;
using Supervisor.Core.Protocols;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Native;

namespace Supervisor.Linux.Handoff;

/// <summary>Answers the requests of the broker's clients. On the loop.</summary>
internal sealed class BrokerRequests
{
    private readonly IBrokerTable _table;
    private readonly BrokerAccess _access;

    /// <summary>The handles that the request names, in order; found during parsing.</summary>
    private readonly List<ListenerHandle> _named = [];

    private readonly Func<ReadOnlySpan<char>, string?> _find;

    public BrokerRequests(IBrokerTable table, BrokerAccess access)
    {
        _table = table;
        _access = access;
        _find = Find;
    }

    /// <summary>
    /// The reply to one packet; null if the request is "succeed" and <paramref name="release"/> has handed the connection over.
    /// The table owns a descriptor that is removed from <paramref name="received"/>.
    /// </summary>
    public BrokerReply? Answer(
        BrokerPeer peer, ReadOnlySpan<byte> data, bool truncated, bool descriptorsLost, List<DescriptorHandle> received,
        Func<DescriptorHandle> release)
    {
        try
        {
            return AnswerNamed(peer, data, truncated, descriptorsLost, received, release);
        }
        finally
        {
            _named.Clear();
        }
    }

    private BrokerReply? AnswerNamed(
        BrokerPeer peer, ReadOnlySpan<byte> data, bool truncated, bool descriptorsLost, List<DescriptorHandle> received,
        Func<DescriptorHandle> release)
    {
        if (truncated)
        {
            return BrokerReply.Error(new BrokerError(BrokerErrorCode.TooLarge, $"a request has at most {BrokerRequest.MaxBytes} bytes"));
        }

        if (!BrokerRequest.TryParse(data, out var request, out var error, _find))
        {
            return BrokerReply.Error(error);
        }

        if (request.Method != BrokerMethod.Put && (received.Count > 0 || descriptorsLost))
        {
            return BrokerReply.Error(new BrokerError(BrokerErrorCode.Invalid, "the request carries a descriptor, and only put takes one"));
        }

        return request.Method switch
        {
            BrokerMethod.Take => Take(peer, request),
            BrokerMethod.List => List(peer, request),
            BrokerMethod.Put => Reply(Put(peer, request.Name!, descriptorsLost, received)),
            BrokerMethod.Drop => Reply(MayChange(peer, "drop") ?? _table.Drop(request.Name!, peer.Requester)),
            BrokerMethod.Succeed => (MayChange(peer, "succeed") ?? _table.Succeed(peer, release)) is { } refused
                ? BrokerReply.Error(refused)
                : null,
            _ => throw new InvalidOperationException($"no method: {request.Method}"),
        };
    }

    private static BrokerReply Reply(BrokerError? error) => error is null ? BrokerReply.Ok() : BrokerReply.Error(error);

    private string? Find(ReadOnlySpan<char> name)
    {
        if (_table.Find(name) is not { } handle)
        {
            return null;
        }

        _named.Add(handle);
        return handle.Name;
    }

    private BrokerReply Take(BrokerPeer peer, BrokerRequest request)
    {
        var service = peer.IsPrivileged ? null : peer.Service(_table, request.Token);
        var handles = new ListenerHandle[request.Listeners.Length];
        for (var i = 0; i < handles.Length; i++)
        {
            var name = request.Listeners[i];

            // Parsing has found the handle and reuses its name, unless the name is unknown.
            if ((i < _named.Count && ReferenceEquals(_named[i].Name, name) ? _named[i] : _table.Find(name)) is not { } handle)
            {
                return BrokerReply.Error(new BrokerError(
                    BrokerErrorCode.NotFound,
                    (BrokerRequest.IsName(name) ? $"no listener named \"{name}\"" : "no listener has such a name")
                    + Known(Takable(peer, service))));
            }

            if (!_access.Allows(peer, service, handle))
            {
                _table.Denied($"take {name}", $"an entry in listener.{name}.allow", name, peer.Requester);
                return BrokerReply.Error(new BrokerError(
                    BrokerErrorCode.Denied,
                    $"listener \"{name}\" is not for {peer.Description}: add user:NAME or group:NAME to listener.{name}.allow, "
                    + "or ask as a worker of a service that lists it"));
            }

            if (handle.Descriptor is null)
            {
                var reason = handle.Failure?.ToString() ?? "it was closed";
                return BrokerReply.Error(new BrokerError(BrokerErrorCode.NotFound, $"listener \"{name}\" has no socket: {reason}"));
            }

            handle.RecordBaseline();
            handles[i] = handle;
        }

        return BrokerReply.Take(handles);
    }

    private BrokerReply List(BrokerPeer peer, BrokerRequest request)
    {
        var service = peer.IsPrivileged ? null : peer.Service(_table, request.Token);
        return BrokerReply.List([.. Takable(peer, service)]);
    }

    private IEnumerable<ListenerHandle> Takable(BrokerPeer peer, BrokerService? service) =>
        _table.Handles.Where(handle => handle.Descriptor is not null && _access.Allows(peer, service, handle));

    /// <summary>The end of an error about an unknown name: the names that the peer may use, the first ones if there are many.</summary>
    private static string Known(IEnumerable<ListenerHandle> handles)
    {
        const int most = 20;
        string[] names = [.. handles.Take(most + 1).Select(handle => handle.Name)];
        return names.Length == 0 ? "" : $"; listeners: {string.Join(", ", names.Take(most))}{(names.Length > most ? ", ..." : "")}";
    }

    private BrokerError? Put(BrokerPeer peer, string name, bool descriptorsLost, List<DescriptorHandle> received)
    {
        if (MayChange(peer, "put") is { } denied)
        {
            return denied;
        }

        if (received.Count > 1)
        {
            return new BrokerError(BrokerErrorCode.Invalid, "put takes one descriptor, and the request carries more");
        }

        if (received.Count != 1)
        {
            return descriptorsLost
                ? new BrokerError(BrokerErrorCode.Busy, "the daemon has no free descriptor: raise LimitNOFILE= in its unit, or ulimit -n")
                : new BrokerError(BrokerErrorCode.Invalid, "put needs the descriptor, by SCM_RIGHTS on the request");
        }

        if (DescriptorReserve.IsReached(received[0]))
        {
            return new BrokerError(BrokerErrorCode.Busy, DescriptorReserve.ReachedText);
        }

        var error = _table.Put(name, received[0], peer.Requester, $"put by {peer.Description}");
        if (error is null)
        {
            received.Clear();
        }

        return error;
    }

    private BrokerError? MayChange(BrokerPeer peer, string what)
    {
        if (peer.IsPrivileged)
        {
            return null;
        }

        _table.Denied(what, $"the right \"{what}\"", listener: null, peer.Requester);
        return new BrokerError(
            BrokerErrorCode.Denied,
            string.Create(
                CultureInfo.InvariantCulture,
                $"put, drop and succeed are for root and the daemon's own user ({Processes.EffectiveUid}); you are {peer.Description}"));
    }
}

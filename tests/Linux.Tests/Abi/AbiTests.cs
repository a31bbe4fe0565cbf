using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Linux.Evidence;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Listeners;
using Supervisor.Linux.Output;
using Supervisor.Linux.Steering;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;
using Supervisor.Native;
using Tmds.Linux;

namespace Supervisor.Linux.Tests.Abi;

/// <summary>
/// Compares every number, size and offset of the kernel's and the C library's interface in the C# code with the installed
/// headers.
/// </summary>
public unsafe class AbiTests : KernelTest
{
    private static readonly string[] SocketHeaders =
    [
        "<errno.h>", "<fcntl.h>", "<signal.h>", "<sys/socket.h>", "<sys/un.h>", "<netinet/in.h>", "<netinet/tcp.h>", "<sys/epoll.h>",
        "<sys/inotify.h>", "<sys/ioctl.h>", "<linux/vm_sockets.h>",
        "<linux/filter.h>", "<linux/netlink.h>", "<linux/rtnetlink.h>", "<linux/sock_diag.h>", "<linux/inet_diag.h>",
        "<linux/unix_diag.h>", "<net/if.h>", "<linux/bpf.h>", "<linux/if_ether.h>", "<netinet/ip.h>", "<netinet/ip6.h>", "<netinet/udp.h>",
        "<arpa/inet.h>", "<stddef.h>",
    ];

    private static readonly string[] ProcessHeaders =
    [
        "<dirent.h>", "<errno.h>", "<fcntl.h>", "<grp.h>", "<limits.h>", "<linux/magic.h>", "<sys/statfs.h>", "<linux/capability.h>",
        "<linux/close_range.h>", "<mqueue.h>", "<poll.h>", "<pwd.h>", "<sched.h>", "<signal.h>", "<stdio.h>", "<sys/eventfd.h>",
        "<net/if.h>", "<sys/file.h>", "<sys/ioctl.h>", "<sys/mman.h>", "<sys/prctl.h>", "<sys/stat.h>", "<sys/syscall.h>", "<sys/wait.h>",
        "<time.h>", "<unistd.h>", "\"spawn.h\"",
    ];

    /// <summary>Named constants, also private ones: type, constant, C name. Add new constants here.</summary>
    private static readonly (Type Type, string Name, string C)[] SocketConstants =
    [
        (typeof(Sockets), "GetLocalVsockCid", "IOCTL_VM_SOCKETS_GET_LOCAL_CID"),
        (typeof(AcceptQueue), "UnackedOffset", "offsetof(struct tcp_info, tcpi_unacked)"),
        (typeof(AcceptQueue), "SackedOffset", "offsetof(struct tcp_info, tcpi_sacked)"),
        (typeof(Sockaddr), "MaxLength", "sizeof(struct sockaddr_storage)"),
        (typeof(Sockaddr), "InternetLength", "sizeof(struct sockaddr_in)"),
        (typeof(Sockaddr), "Internet6Length", "sizeof(struct sockaddr_in6)"),
        (typeof(Sockaddr), "NetlinkLength", "sizeof(struct sockaddr_nl)"),
        (typeof(UnixDiag), "HeaderLength", "sizeof(struct nlmsghdr)"), (typeof(UnixDiag), "MessageLength", "sizeof(struct unix_diag_msg)"),
        (typeof(SocketDrops), "DropsOffset", "SK_MEMINFO_DROPS * sizeof(__u32)"),
        (typeof(Netlink), "HeaderLength", "sizeof(struct nlmsghdr)"),
        (typeof(Netlink), "DumpFlags", "NLM_F_REQUEST | NLM_F_DUMP"),
        (typeof(AddressTable), "GetLink", "RTM_GETLINK"), (typeof(AddressTable), "NewLink", "RTM_NEWLINK"),
        (typeof(AddressTable), "GetAddress", "RTM_GETADDR"),
        (typeof(AddressTable), "NewAddress", "RTM_NEWADDR"), (typeof(AddressTable), "LinkName", "IFLA_IFNAME"),
        (typeof(AddressTable), "AddressAddress", "IFA_ADDRESS"),
        (typeof(AddressTable), "AddressLocal", "IFA_LOCAL"), (typeof(AddressTable), "AddressFlags", "IFA_FLAGS"),
        (typeof(AddressTable), "InterfaceUp", "IFF_UP"),
        (typeof(AddressTable), "Tentative", "IFA_F_TENTATIVE"), (typeof(AddressTable), "Optimistic", "IFA_F_OPTIMISTIC"),
        (typeof(AddressTable), "DuplicateFound", "IFA_F_DADFAILED"),
        (typeof(InternetSockets), "ReqProtocol", "INET_DIAG_REQ_PROTOCOL"),
        (typeof(InternetSockets), "DiagV6Only", "INET_DIAG_SKV6ONLY"),
        (typeof(InternetSockets), "TimeWait", "TCP_TIME_WAIT"), (typeof(InternetSockets), "Closed", "TCP_CLOSE"),
        (typeof(InternetSockets), "Listen", "TCP_LISTEN"), (typeof(InternetSockets), "MessageLength", "sizeof(struct inet_diag_msg)"),
        (typeof(NetlinkEvents), "InterfacesAndAddresses", "RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR"),
        (
            typeof(ConflictEvents),
            "DestroyGroups",
            "1 << (SKNLGRP_INET_TCP_DESTROY - 1) | 1 << (SKNLGRP_INET_UDP_DESTROY - 1)"
            + " | 1 << (SKNLGRP_INET6_TCP_DESTROY - 1) | 1 << (SKNLGRP_INET6_UDP_DESTROY - 1)"),
        (typeof(InterfaceWatch), "BoundInterface", "SO_BINDTOIFINDEX"), (typeof(NamespaceCall), "NamespaceCookie", "SO_NETNS_COOKIE"),
        (typeof(DirectoryWatch), "Removals", "IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF"),
        (typeof(FileChanges), "Modified", "IN_MODIFY"), (typeof(FileChanges), "EventSize", "sizeof(struct inotify_event)"),
        (typeof(FilesAt), "FollowLinks", "AT_SYMLINK_FOLLOW"),
        (typeof(UnixSockets), "ShowName", "UDIAG_SHOW_NAME"), (typeof(UnixSockets), "ShowVfs", "UDIAG_SHOW_VFS"),
        (typeof(UnixSockets), "ShowUid", "UDIAG_SHOW_UID"), (typeof(UnixSockets), "DiagName", "UNIX_DIAG_NAME"),
        (typeof(UnixSockets), "DiagVfs", "UNIX_DIAG_VFS"),
        (typeof(UnixSockets), "DiagUid", "UNIX_DIAG_UID"), (typeof(UnixSockets), "MessageLength", "sizeof(struct unix_diag_msg)"),
        (typeof(UnixSockets), "Listen", "TCP_LISTEN"),
        (typeof(AcceptedConnections), "ShowName", "UDIAG_SHOW_NAME"), (typeof(AcceptedConnections), "DiagName", "UNIX_DIAG_NAME"),
        (typeof(AcceptedConnections), "Established", "TCP_ESTABLISHED"),
        (typeof(AcceptedConnections), "UnixMessage", "sizeof(struct unix_diag_msg)"),
        (typeof(AcceptedConnections), "InternetMessage", "sizeof(struct inet_diag_msg)"),
        (typeof(AcceptedConnections), "InternetRequest", "sizeof(struct inet_diag_req_v2)"),
        (typeof(AcceptedConnections), "NoCookie", "offsetof(struct inet_diag_req_v2, id.idiag_cookie)"),
        (typeof(AcceptedConnections), "DiagInfo", "INET_DIAG_INFO"),
        (typeof(PortFilter), "ReqBytecode", "INET_DIAG_REQ_BYTECODE"), (typeof(PortFilter), "Jump", "INET_DIAG_BC_JMP"),
        (typeof(PortFilter), "LocalPortAtLeast", "INET_DIAG_BC_S_GE"), (typeof(PortFilter), "LocalPortAtMost", "INET_DIAG_BC_S_LE"),
        (typeof(PortFilter), "AttributeHeader", "sizeof(struct nlattr)"),
        (typeof(PortFilter), "Operation", "sizeof(struct inet_diag_bc_op)"),
        (typeof(AcceptedConnections), "LastDataSent", "offsetof(struct tcp_info, tcpi_last_data_sent)"),
        (typeof(AcceptedConnections), "LastDataReceived", "offsetof(struct tcp_info, tcpi_last_data_recv)"),
        (typeof(AcceptedConnections), "LastAckReceived", "offsetof(struct tcp_info, tcpi_last_ack_recv)"),
        (
            typeof(AcceptedConnections),
            "Connected",
            "1 << TCP_ESTABLISHED | 1 << TCP_SYN_RECV | 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2"
            + " | 1 << TCP_CLOSE_WAIT | 1 << TCP_LAST_ACK | 1 << TCP_CLOSING"),
        (typeof(Supervisor.Linux.Probes.AcceptProbe), "PollIn", "EPOLLIN"),
        (typeof(Supervisor.Linux.Probes.AcceptProbe), "EdgeTriggered", "(unsigned)EPOLLET"),
        (typeof(ShardSelection), "LoadWord", "BPF_LD | BPF_W | BPF_ABS"), (typeof(ShardSelection), "LoadHalf", "BPF_LD | BPF_H | BPF_ABS"),
        (typeof(ShardSelection), "LoadByte", "BPF_LD | BPF_B | BPF_ABS"), (typeof(ShardSelection), "Add", "BPF_ALU | BPF_ADD | BPF_K"),
        (typeof(ShardSelection), "Multiply", "BPF_ALU | BPF_MUL | BPF_K"), (typeof(ShardSelection), "And", "BPF_ALU | BPF_AND | BPF_K"),
        (typeof(ShardSelection), "ShiftRight", "BPF_ALU | BPF_RSH | BPF_K"), (typeof(ShardSelection), "Jump", "BPF_JMP | BPF_JA"),
        (typeof(ShardSelection), "ReturnA", "BPF_RET | BPF_A"), (typeof(ShardSelection), "Network", "SKF_NET_OFF"),
        (typeof(ShardSelection), "Modulo", "BPF_ALU | BPF_MOD | BPF_K"),
        (typeof(ShardSelection), "JumpIfEqual", "BPF_JMP | BPF_JEQ | BPF_K"), (typeof(ShardSelection), "Return", "BPF_RET | BPF_K"),
        (typeof(ShardSelection), "Random", "SKF_AD_OFF + SKF_AD_RANDOM"),
        (typeof(Bpf), "MapCreate", "BPF_MAP_CREATE"),
        (typeof(Bpf), "MapLookup", "BPF_MAP_LOOKUP_ELEM"),
        (typeof(Bpf), "MapUpdate", "BPF_MAP_UPDATE_ELEM"),
        (typeof(Bpf), "MapDelete", "BPF_MAP_DELETE_ELEM"),
        (typeof(Bpf), "ProgramLoad", "BPF_PROG_LOAD"),
        (typeof(Bpf), "MapLookupBatch", "BPF_MAP_LOOKUP_BATCH"),
        (typeof(Bpf), "NameLength", "BPF_OBJ_NAME_LEN"),
        (typeof(SteeringMaps), "Hash", "BPF_MAP_TYPE_HASH"),
        (typeof(SteeringMaps), "Array", "BPF_MAP_TYPE_ARRAY"),
        (typeof(SteeringMaps), "LruHash", "BPF_MAP_TYPE_LRU_HASH"),
        (typeof(SteeringMaps), "ReusePortSockets", "BPF_MAP_TYPE_REUSEPORT_SOCKARRAY"),
        (typeof(SteeringProgram), "Type", "BPF_PROG_TYPE_SK_REUSEPORT"),
        (typeof(SteeringProgram), "AttachType", "BPF_SK_REUSEPORT_SELECT_OR_MIGRATE"),
        (typeof(SteeringProgram), "EthernetProtocol", "offsetof(struct sk_reuseport_md, eth_protocol)"),
        (typeof(SteeringProgram), "PacketHash", "offsetof(struct sk_reuseport_md, hash)"),
        (typeof(SteeringProgram), "MigratingSocket", "offsetof(struct sk_reuseport_md, migrating_sk)"),
        (typeof(SteeringProgram), "IPv4", "(unsigned short)((ETH_P_IP >> 8) | (ETH_P_IP << 8))"),
        (typeof(SteeringProgram), "IPv6", "(unsigned short)((ETH_P_IPV6 >> 8) | (ETH_P_IPV6 << 8))"),
        (typeof(SteeringProgram), "IPv4Addresses", "offsetof(struct iphdr, saddr)"),
        (typeof(SteeringProgram), "IPv6Addresses", "offsetof(struct ip6_hdr, ip6_src)"),
        (typeof(SteeringProgram), "IPv4AddressesLength", "2 * sizeof(struct in_addr)"),
        (typeof(SteeringProgram), "IPv6AddressesLength", "2 * sizeof(struct in6_addr)"),
        (typeof(SteeringProgram), "FromNetworkHeader", "BPF_HDR_START_NET"),
        (typeof(SteeringProgram), "UdpHeader", "sizeof(struct udphdr)"),
        (typeof(SteeringProgram), "PortsLength", "offsetof(struct udphdr, len)"),
        (typeof(BpfAssembler), "LoadImmediate", "BPF_LD | BPF_IMM"),
        (typeof(BpfAssembler), "LoadClass", "BPF_LDX | BPF_MEM"),
        (typeof(BpfAssembler), "StoreConstantClass", "BPF_ST | BPF_MEM"),
        (typeof(BpfAssembler), "StoreClass", "BPF_STX | BPF_MEM"),
        (typeof(BpfAssembler), "AtomicClass", "BPF_STX | BPF_ATOMIC"),
        (typeof(BpfAssembler), "JumpClass", "BPF_JMP"),
        (typeof(BpfAssembler), "Alu64Class", "BPF_ALU64"),
        (typeof(BpfAssembler), "FromRegister", "BPF_X"),
        (typeof(BpfAssembler), "AddOperation", "BPF_ADD"),
        (typeof(BpfAssembler), "MultiplyOperation", "BPF_MUL"),
        (typeof(BpfAssembler), "ShiftRightOperation", "BPF_RSH"),
        (typeof(BpfAssembler), "ShiftLeftOperation", "BPF_LSH"),
        (typeof(BpfAssembler), "MoveOperation", "BPF_MOV"),
        (typeof(BpfAssembler), "SubtractOperation", "BPF_SUB"),
        (typeof(BpfAssembler), "CallOperation", "BPF_CALL"),
        (typeof(BpfAssembler), "ExitOperation", "BPF_EXIT"),
        (typeof(BpfAssembler), "MapDescriptor", "BPF_PSEUDO_MAP_FD"),
    ];

    private static readonly (string C, int Value)[] BpfNumbers =
    [
        ("BPF_W", (int)BpfSize.Word), ("BPF_B", (int)BpfSize.Byte), ("BPF_DW", (int)BpfSize.Double),
        ("BPF_JEQ", (int)BpfCondition.Equal), ("BPF_JGT", (int)BpfCondition.Greater), ("BPF_JSET", (int)BpfCondition.AnyBit),
        ("BPF_JNE", (int)BpfCondition.NotEqual), ("BPF_FUNC_map_lookup_elem", (int)BpfHelper.MapLookup),
        ("BPF_FUNC_map_update_elem", (int)BpfHelper.MapUpdate), ("BPF_FUNC_skb_load_bytes", (int)BpfHelper.SkbLoadBytes),
        ("BPF_FUNC_skb_load_bytes_relative", (int)BpfHelper.SkbLoadBytesRelative),
        ("BPF_FUNC_sk_select_reuseport", (int)BpfHelper.SelectReusePort), ("BPF_FUNC_ktime_get_coarse_ns", (int)BpfHelper.CoarseTime),
    ];

    private static readonly (Type Type, string Name, string C)[] ProcessConstants =
    [
        (typeof(NamespaceCall), "NetworkNamespaces", "CLONE_NEWNET"),
        (typeof(Processes), "BootClock", "CLOCK_BOOTTIME"),
        (typeof(Processes), "PPid", "P_PID"), (typeof(Processes), "PPidfd", "P_PIDFD"), (typeof(Processes), "WExited", "WEXITED"),
        (typeof(Processes), "WNoWait", "WNOWAIT"), (typeof(Processes), "WNoHang", "WNOHANG"),
        (typeof(Processes), "PrSetChildSubreaper", "PR_SET_CHILD_SUBREAPER"), (typeof(Processes), "SigInfoSize", "sizeof(siginfo_t)"),
        (typeof(Processes), "SiCode", "offsetof(siginfo_t, si_code)"), (typeof(Processes), "SiPid", "offsetof(siginfo_t, si_pid)"),
        (typeof(Processes), "SiStatus", "offsetof(siginfo_t, si_status)"), (typeof(UserDatabase), "NoId", "(uid_t)-1"),
        (typeof(ProgramPages), "DontNeed", "MADV_DONTNEED"),
        (typeof(Succession), "MemoryCloseOnExec", "MFD_CLOEXEC"), (typeof(Succession), "MemorySealable", "MFD_ALLOW_SEALING"),
        (typeof(LaunchTemplate), "NiceOffset", "LISTEND_NICE_OFFSET"), (typeof(ChildProcess), "MaxConcurrent", "LISTEND_SLOTS"),
        (typeof(LaunchSlot), "NoSource", "LISTEND_NO_SOURCE"), (typeof(LaunchSlot), "Left", "LISTEND_SPAWN_LEFT"),
        (typeof(LaunchSlot), "Starts", "LISTEND_SPAWN_STARTS"),
        (typeof(ChildProcess), "PinKinds", "LISTEND_PINS"),
        (typeof(Succession), "AddSeals", "F_ADD_SEALS"), (typeof(Succession), "GetSeals", "F_GET_SEALS"),
        (typeof(Succession), "AllSeals", "F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE"),
        (typeof(Succession), "SetDescriptorFlags", "F_SETFD"), (typeof(Succession), "GetDescriptorFlags", "F_GETFD"),
        (typeof(Succession), "SetSize", "sizeof(sigset_t)"),
        (typeof(FileLocks), "GetOpenFileLock", "F_OFD_GETLK"), (typeof(FileLocks), "SetOpenFileLock", "F_OFD_SETLK"),
        (typeof(FilesAt), "ProcFileSystem", "PROC_SUPER_MAGIC"), (typeof(FilesAt), "FuseFileSystem", "0x65735546"),
        (typeof(FilesAt), "LongestLink", "PATH_MAX"),
        (typeof(ThreadRights), "PrGetDumpable", "PR_GET_DUMPABLE"), (typeof(ThreadRights), "PrSetDumpable", "PR_SET_DUMPABLE"),
        (typeof(ThreadRights), "CapabilityVersion3", "_LINUX_CAPABILITY_VERSION_3"),
        (typeof(Succession), "CloseRange", "SYS_close_range"), (typeof(Succession), "CloseOnExecRange", "CLOSE_RANGE_CLOEXEC"),
        (typeof(Succession), "UnshareRange", "CLOSE_RANGE_UNSHARE"),
        (typeof(Pipes), "FifoType", "S_IFIFO"), (typeof(Pipes), "BytesToRead", "FIONREAD"),
        (typeof(Interfaces), "NameBytes", "IFNAMSIZ"), (typeof(Interfaces), "RequestBytes", "sizeof(struct ifreq)"),
        (typeof(Interfaces), "NameOfIndex", "SIOCGIFNAME"), (typeof(Interfaces), "IndexOfName", "SIOCGIFINDEX"),
        (typeof(Pipes), "SetSizeCommand", "F_SETPIPE_SZ"), (typeof(Pipes), "GetSizeCommand", "F_GETPIPE_SZ"),
        (typeof(MessageQueues), "Longs", "sizeof(struct mq_attr) / sizeof(long)"),
    ];

    /// <summary>
    /// Values without a header: our own limits, and states that the kernel does not export (include/net/tcp_states.h).
    /// </summary>
    private static readonly (Type Type, string Name)[] OwnConstants =
    [
        (typeof(Processes), "TicksPerSecond"), (typeof(SignalSender), "Known"),
        (typeof(OpenSteps), "DefaultMode"), (typeof(NamespaceCall), "CookieBytes"), (typeof(SocketLinks), "UsualDirectoryMode"),
        (typeof(Bpf), "LogLength"), (typeof(ListenerSteerer), "CookieLength"), (typeof(ListenerSteering), "MostGenerations"),
        (typeof(InternetSockets), "NewSynReceived"), (typeof(InternetSockets), "BoundInactive"), (typeof(SharingFlags), "MostAsked"),
        (typeof(SocketPlace), "NoGroup"), (typeof(SocketSpares), "Mode"), (typeof(ListendHolders), "MaxAnswer"),
        (typeof(ProcessFacts), "MaxCommandLine"), (typeof(Netlink), "BufferLength"), (typeof(OpenFiles), "BufferLength"),
        (typeof(OpenFiles), "ProcessesWorthAThread"), (typeof(OpenFiles), "DescriptorsAtFirst"),
        (typeof(ProcessFacts), "MaxBytes"), (typeof(EvidenceBudget), "Share"), (typeof(EvidenceBudget), "MostLeftBehind"),
        (typeof(ConflictWatch), "MostHolders"), (typeof(SocketTakers), "Most"),
        (typeof(DriftWatch), "RemakeLimit"), (typeof(DriftWatch), "NamedHolders"),
        (typeof(UserDatabase), "MaxEntry"), (typeof(NotifySocket), "MaxMessagesPerWake"), (typeof(OutputPipe), "MaxLineBytes"),
        (typeof(OutputPipe), "MaxBytesPerWake"),
        (typeof(Supervisor.Linux.Kernel.InheritedDescriptors), "Start"), (typeof(Supervisor.Linux.Kernel.InheritedDescriptors), "Max"),
        (typeof(DescriptorPassing), "MaxDescriptors"), (typeof(SocketCloser), "StackBytes"),
        (typeof(LaunchPlaces), "Most"), (typeof(LaunchPlaces), "LimitShare"),
        (typeof(LaunchPlaces), "Highest"), (typeof(ChildProcess), "PlacesEach"),
        (typeof(Succession), "MemoryExecutable"), (typeof(Polling), "MaxEvents"),
        (typeof(FileChanges), "MostAtOnce"),
        (typeof(ByteText), "First"), (typeof(ByteText), "Escape"), (typeof(LaunchedProcess), "PacketBytes"),
        (typeof(Supervisor.Linux.Continuity.UpgradePreflight), "MostCharacters"),
        (typeof(Supervisor.Linux.Continuity.FdHolder), "MaxPacket"),
    ];

    [Fact]
    public void Socket_numbers_match_the_headers()
    {
        var program = new AbiProgram(SocketHeaders);
        foreach (var constant in typeof(KernelAbi).GetFields())
        {
            program.Equal(
                constant.Name,
                Convert.ToInt64(constant.GetRawConstantValue(), System.Globalization.CultureInfo.InvariantCulture),
                "KernelAbi");
        }

        foreach (var (type, name, c) in SocketConstants)
        {
            program.Equal(c, Constant(type, name), $"{type.Name}.{name}");
        }

        foreach (var (name, value) in BpfNumbers)
        {
            program.Equal(name, value, "an enumeration of Supervisor.Linux.Steering");
        }

        // Linux 6.5: headers of Debian 12 do not have it.
        foreach (var option in SocketOptions.All.Where(option => option != SocketOptions.PassPidfd))
        {
            program.Equal(option.LevelName, option.Level, $"the level of {option.Name}");
            program.Equal(option.Name, option.Number, option.Name);
        }

        program.Equal("SO_RCVBUF", SocketOptions.ReceiveBufferForce.ReadNumber, "what SO_RCVBUFFORCE is read by");
        program.Equal("SO_SNDBUF", SocketOptions.SendBufferForce.ReadNumber, "what SO_SNDBUFFORCE is read by");

        // From Tmds.LibC, as far as it is used.
        program.Equal("SOCK_CLOEXEC", LibC.SOCK_CLOEXEC, "LibC");
        program.Equal("SOCK_NONBLOCK", LibC.SOCK_NONBLOCK, "LibC");
        program.Equal("MSG_NOSIGNAL", LibC.MSG_NOSIGNAL, "LibC");
        program.Equal("MSG_DONTWAIT", LibC.MSG_DONTWAIT, "LibC");
        program.Equal("MSG_CMSG_CLOEXEC", LibC.MSG_CMSG_CLOEXEC, "LibC");
        program.Equal("MSG_TRUNC", LibC.MSG_TRUNC, "LibC");
        program.Equal("MSG_CTRUNC", LibC.MSG_CTRUNC, "LibC");
        program.Equal("SOL_SOCKET", LibC.SOL_SOCKET, "LibC");
        program.Equal("SO_PEERCRED", LibC.SO_PEERCRED, "LibC");
        program.Equal("SO_PEERGROUPS", 59, "Sockets.GetPeerGroups");
        program.Equal("EPOLLOUT", LibC.EPOLLOUT, "LibC");
        program.Equal("SCM_CREDENTIALS", LibC.SCM_CREDENTIALS, "LibC");
        program.Equal("SCM_RIGHTS", LibC.SCM_RIGHTS, "LibC");
        program.Equal("EPOLLIN", LibC.EPOLLIN, "LibC");
        program.Equal("EPOLL_CLOEXEC", LibC.EPOLL_CLOEXEC, "LibC");
        program.Equal("EPOLL_CTL_ADD", LibC.EPOLL_CTL_ADD, "LibC");
        program.Equal("EPOLL_CTL_DEL", LibC.EPOLL_CTL_DEL, "LibC");

        // Written as literals where they are used.
        program.Equal("AF_UNIX", 1, "a literal");
        program.Equal("AF_INET", 2, "a literal");
        program.Equal("AF_INET6", 10, "a literal");
        program.Equal("IPPROTO_TCP", 6, "a literal");
        program.Equal("IPPROTO_UDP", 17, "a literal");
        program.Equal("VMADDR_CID_ANY", uint.MaxValue, "ListenAddress.VsockAny");
        program.Equal("VMADDR_PORT_ANY", uint.MaxValue, "ListenAddress.VsockAny");
        Assert.Empty(program.Compile());
    }

    [Fact]
    public void Socket_layouts_match_the_headers()
    {
        var program = new AbiProgram(SocketHeaders);
        program.Layout(
            "struct epoll_event", sizeof(epoll_event),
            ("events", Offset((ref epoll_event value) => value.events = -1), 4),
            ("data", Offset((ref epoll_event value) => value.data.u64 = ulong.MaxValue), 8));
        program.Layout(
            "struct ucred", sizeof(ucred),
            ("pid", Offset((ref ucred value) => value.pid = -1), 4), ("uid", Offset((ref ucred value) => value.uid = uint.MaxValue), 4),
            ("gid", Offset((ref ucred value) => value.gid = uint.MaxValue), 4));
        program.Layout(
            "struct msghdr", sizeof(msghdr),
            ("msg_iov", Offset((ref msghdr value) => value.msg_iov = (iovec*)-1), 8),
            ("msg_iovlen", Offset((ref msghdr value) => value.msg_iovlen = 1), 8),
            ("msg_control", Offset((ref msghdr value) => value.msg_control = (void*)-1), 8),
            ("msg_controllen", Offset((ref msghdr value) => value.msg_controllen = 1), 8),
            ("msg_flags", Offset((ref msghdr value) => value.msg_flags = -1), 4));
        program.Layout(
            "struct cmsghdr", sizeof(cmsghdr),
            ("cmsg_len", Offset((ref cmsghdr value) => value.cmsg_len = 1), 8),
            ("cmsg_level", Offset((ref cmsghdr value) => value.cmsg_level = -1), 4),
            ("cmsg_type", Offset((ref cmsghdr value) => value.cmsg_type = -1), 4));
        program.Layout(
            "struct iovec", sizeof(iovec),
            ("iov_base", Offset((ref iovec value) => value.iov_base = (void*)-1), 8),
            ("iov_len", Offset((ref iovec value) => value.iov_len = 1), 8));

        // Laid out byte by byte.
        program.Layout("struct sockaddr_in", 16, ("sin_family", 0, 2), ("sin_port", 2, 2), ("sin_addr", 4, 4));
        program.Layout(
            "struct sockaddr_in6", 28, ("sin6_family", 0, 2), ("sin6_port", 2, 2), ("sin6_addr", 8, 16), ("sin6_scope_id", 24, 4));
        program.Layout("struct sockaddr_un", 110, ("sun_family", 0, 2), ("sun_path", 2, ListenAddress.MaxUnixPathBytes + 1));
        program.Layout("struct sockaddr_vm", 16, ("svm_family", 0, 2), ("svm_port", 4, 4), ("svm_cid", 8, 4));
        program.Layout("struct sockaddr_nl", 12, ("nl_family", 0, 2), ("nl_pid", 4, 4), ("nl_groups", 8, 4));
        program.Layout("struct linger", 8, ("l_onoff", 0, 4), ("l_linger", 4, 4));
        program.Layout("struct group_req", 136, ("gr_interface", 0, 4), ("gr_group", 8, 128));
        program.Layout("struct group_source_req", 264, ("gsr_interface", 0, 4), ("gsr_group", 8, 128), ("gsr_source", 136, 128));
        program.Layout("struct nlmsghdr", 16, ("nlmsg_len", 0, 4), ("nlmsg_type", 4, 2), ("nlmsg_flags", 6, 2));
        program.Layout(
            "struct unix_diag_req",
            24,
            ("sdiag_family", 0, 1), ("udiag_states", 4, 4), ("udiag_ino", 8, 4), ("udiag_show", 12, 4), ("udiag_cookie", 16, 8));
        program.Layout("struct unix_diag_rqlen", 8, ("udiag_rqueue", 0, 4), ("udiag_wqueue", 4, 4));
        program.Layout("struct nlattr", 4, ("nla_len", 0, 2), ("nla_type", 2, 2));
        program.Equal("sizeof(struct tcp_info) >= 104", 1, "the buffer of AcceptQueue");
        Assert.Empty(program.Compile());
    }

    [Fact]
    public void File_and_process_numbers_match_the_headers()
    {
        var program = new AbiProgram(ProcessHeaders);
        foreach (var (type, name, c) in ProcessConstants)
        {
            program.Equal(c, Constant(type, name), $"{type.Name}.{name}");
        }

        foreach (var stage in Enum.GetValues<SpawnStage>())
        {
            program.Equal($"LISTEND_STAGE_{UpperSnake(stage.ToString())}", (int)stage, $"SpawnStage.{stage}");
        }

        for (var i = 0; i < Capabilities.Names.Length; i++)
        {
            program.Equal(Capabilities.Names[i], i, $"Capabilities.Names[{i}]");
        }

        program.Equal("O_CLOEXEC", LibC.O_CLOEXEC, "LibC");
        program.Equal("O_NONBLOCK", LibC.O_NONBLOCK, "LibC");
        program.Equal("O_PATH", LibC.O_PATH, "LibC");
        program.Equal("O_NOFOLLOW", LibC.O_NOFOLLOW, "LibC");
        program.Equal("AT_EMPTY_PATH", LibC.AT_EMPTY_PATH, "LibC");
        program.Equal("F_SETFL", LibC.F_SETFL, "LibC");
        program.Equal("F_GETFL", LibC.F_GETFL, "LibC");
        program.Equal("F_SETFD", LibC.F_SETFD, "LibC");
        program.Equal("FD_CLOEXEC", LibC.FD_CLOEXEC, "LibC");
        program.Equal("F_DUPFD_CLOEXEC", LibC.F_DUPFD_CLOEXEC, "LibC");
        program.Equal("EFD_CLOEXEC", LibC.EFD_CLOEXEC, "LibC");
        program.Equal("EFD_NONBLOCK", LibC.EFD_NONBLOCK, "LibC");
        program.Equal("X_OK", LibC.X_OK, "LibC");
        program.Equal("SIGCHLD", LibC.SIGCHLD, "LibC");
        program.Equal("EINTR", LibC.EINTR, "LibC");
        program.Equal("ERANGE", LibC.ERANGE, "LibC");

        // Written as literals where they are used.
        program.Equal("S_IFMT", 0xF000, "Files.Status");
        program.Equal("S_IFSOCK", 0xC000, "Files.Status.IsSocket");
        program.Equal("S_IFDIR", 0x4000, "Files.Status.IsDirectory");
        program.Equal("S_IXUSR | S_IXGRP | S_IXOTH", 0x49, "ServiceFiles");
        program.Equal("S_IFREG", 0x8000, "Files.Status.IsRegular");
        program.Equal("RENAME_NOREPLACE", 1, "Files.RenameNoReplace");
        program.Equal("EAGAIN", LibC.EAGAIN, "LibC");
        program.Equal("ECONNABORTED", LibC.ECONNABORTED, "LibC");
        program.Equal("EINVAL", 22, "Disposer");
        program.Equal("ETOOMANYREFS", 109, "Disposer");
        program.Equal("ENAMETOOLONG", 36, "WorkerSocketFile");
        program.Equal("F_RDLCK", 0, "FileLocks.IsLocked");
        program.Equal("F_WRLCK", 1, "FileLocks.TryLock");
        program.Equal("F_UNLCK", 2, "FileLocks.IsLocked");
        program.Equal("O_RDWR", 2, "Spawner, RuntimeClaim");
        program.Equal("O_CREAT", 0x40, "RuntimeClaim");
        program.Equal("SYS_pidfd_send_signal", 424, "Processes.Signal");
        program.Equal("SYS_pidfd_open", 434, "Processes.OpenPidfd");
        program.Equal("SYS_pidfd_getfd", 438, "OpenFiles.Borrow");
        program.Equal("AT_EACCESS", 0x200, "AccessCheck.MayWrite");
        program.Equal("W_OK | X_OK", 3, "AccessCheck.MayWrite");
        program.Equal("R_OK", 4, "AccessCheck.MayOpen");
        program.Equal("W_OK", 2, "AccessCheck.MayOpen");
        program.Equal("AT_EACCESS", 0x200, "AccessCheck.MayOpen");
        program.Equal("O_DIRECTORY", LibC.O_DIRECTORY, "LibC");
        program.Equal("O_APPEND", LibC.O_APPEND, "LibC");
        program.Equal("O_EXCL", LibC.O_EXCL, "LibC");
        program.Equal("O_NOCTTY", LibC.O_NOCTTY, "LibC");
        program.Equal("AT_SYMLINK_NOFOLLOW", LibC.AT_SYMLINK_NOFOLLOW, "LibC");
        var isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        program.Equal("SYS_mq_open", isArm ? 180 : 240, "MessageQueues.Open");
        program.Equal("SYS_mq_unlink", isArm ? 181 : 241, "MessageQueues.Unlink");
        program.Equal("SYS_mq_getsetattr", isArm ? 185 : 245, "MessageQueues.GetAttributes");
        program.Equal("offsetof(struct mq_attr, mq_maxmsg)", 8, "MessageQueues");
        program.Equal("offsetof(struct mq_attr, mq_msgsize)", 16, "MessageQueues");
        program.Equal("offsetof(struct mq_attr, mq_curmsgs)", 24, "MessageQueues");
        program.Equal("SYS_setgroups", isArm ? 159 : 116, "ThreadRights");
        program.Equal("SYS_setfsuid", isArm ? 151 : 122, "ThreadRights");
        program.Equal("SYS_setfsgid", isArm ? 152 : 123, "ThreadRights");
        program.Equal("SYS_capset", isArm ? 91 : 126, "ThreadRights");
        program.Equal("sizeof(struct __user_cap_header_struct)", 8, "ThreadRights");
        program.Equal("_LINUX_CAPABILITY_U32S_3 * sizeof(struct __user_cap_data_struct)", 24, "ThreadRights");
        program.Equal("sizeof(struct statfs) <= 256", 1, "FilesAt.FileSystemOf");
        program.Equal("offsetof(struct statfs, f_type)", 0, "FilesAt.FileSystemOf");
        program.Equal("S_IFLNK", 0xA000, "Files.Status.IsLink");
        program.Equal("S_IFCHR", 0x2000, "Files.Status.IsCharacterDevice");
        program.Equal("AT_FDCWD", LibC.AT_FDCWD, "LibC");
        program.Equal("offsetof(struct dirent64, d_reclen)", 16, "OpenFiles");
        program.Equal("offsetof(struct dirent64, d_name)", 19, "OpenFiles");
        program.Equal("P_ALL", 0, "Processes.PeekAnyExited");
        program.Equal("CLD_EXITED", 1, "Processes.Wait");
        program.Equal("CLD_DUMPED", 3, "Processes.Wait");
        program.Equal("SIGKILL", 9, "WorkerProcess.KillSession");
        program.Equal("NSIG", 65, "the signals that a child gets at their default");
        Assert.Empty(program.Compile());
    }

    [Fact]
    public void File_and_process_layouts_match_the_headers()
    {
        var program = new AbiProgram(ProcessHeaders);
        program.Layout(
            "struct listend_spawn", Unsafe.SizeOf<SpawnRequest>(),
            ("argv", OffsetOf<SpawnRequest>("Arguments"), 8), ("envp", OffsetOf<SpawnRequest>("Environment"), 8),
            ("direct", OffsetOf<SpawnRequest>("Direct"), Unsafe.SizeOf<SpawnDirect>()),
            ("fds", OffsetOf<SpawnRequest>("Descriptors"), 8),
            ("fd_count", OffsetOf<SpawnRequest>("DescriptorCount"), 4), ("is_channel", OffsetOf<SpawnRequest>("IsChannel"), 4),
            ("pid", OffsetOf<SpawnRequest>("Pid"), 4),
            ("pidfd", OffsetOf<SpawnRequest>("PidDescriptor"), 4),
            ("error", OffsetOf<SpawnRequest>("Error"), 4), ("running", OffsetOf<SpawnRequest>("Running"), 4),
            ("by_launcher", OffsetOf<SpawnRequest>("ByLauncher"), 4),
            ("outcome", OffsetOf<SpawnRequest>("Outcome"), Unsafe.SizeOf<SpawnOutcome>()));
        program.Equal("sizeof(struct listend_status)", sizeof(int), "LaunchChannel");
        program.Layout(
            "struct listend_direct", Unsafe.SizeOf<SpawnDirect>(),
            ("path", OffsetOf<SpawnDirect>("Path"), 8), ("argv", OffsetOf<SpawnDirect>("Arguments"), 8),
            ("device", OffsetOf<SpawnDirect>("Device"), 8), ("inode", OffsetOf<SpawnDirect>("Inode"), 8),
            ("directory", OffsetOf<SpawnDirect>("Directory"), 8), ("own_directory", OffsetOf<SpawnDirect>("OwnDirectory"), 8),
            ("given", OffsetOf<SpawnDirect>("Given"), 4), ("cgroup", OffsetOf<SpawnDirect>("Cgroup"), 4),
            ("umask", OffsetOf<SpawnDirect>("Umask"), 4), ("no_new_privileges", OffsetOf<SpawnDirect>("NoNewPrivileges"), 4),
            ("ignore_sigpipe", OffsetOf<SpawnDirect>("IgnoreSigpipe"), 4), ("pid_variables", OffsetOf<SpawnDirect>("PidVariables"), 4));
        program.Layout(
            "struct listend_outcome", Unsafe.SizeOf<SpawnOutcome>(),
            ("stage", OffsetOf<SpawnOutcome>("Stage"), 4), ("error", OffsetOf<SpawnOutcome>("Error"), 4),
            ("detail", OffsetOf<SpawnOutcome>("Detail"), 4));
        foreach (var number in Enum.GetValues<LaunchNumber>())
        {
            program.Equal(
                number == LaunchNumber.Count ? "LISTEND_NUMBERS" : "LISTEND_NUMBER_" + UpperSnake(number.ToString()),
                (int)number,
                $"LaunchNumber.{number}");
        }

        program.Layout(
            "struct listend_pin_report", Unsafe.SizeOf<SpawnPinReport>(),
            ("stage", OffsetOf<SpawnPinReport>("Stage"), 4), ("pin", OffsetOf<SpawnPinReport>("Pin"), 4),
            ("use", OffsetOf<SpawnPinReport>("Use"), 4), ("mode", OffsetOf<SpawnPinReport>("Mode"), 4),
            ("device", OffsetOf<SpawnPinReport>("Device"), 8), ("inode", OffsetOf<SpawnPinReport>("Inode"), 8));
        foreach (var kind in Enum.GetValues<PinKind>())
        {
            program.Equal("LISTEND_PIN_" + UpperSnake(kind.ToString()), (int)kind, $"PinKind.{kind}");
        }

        foreach (var use in Enum.GetValues<PinUse>())
        {
            program.Equal("LISTEND_USE_" + UpperSnake(use.ToString()), (int)use, $"PinUse.{use}");
        }

        foreach (var detail in Enum.GetValues<ExecDetail>())
        {
            program.Equal("LISTEND_EXEC_" + UpperSnake(detail.ToString()), (int)detail, $"ExecDetail.{detail}");
        }

        program.Layout(
            "struct passwd", Unsafe.SizeOf<Syscalls.Passwd>(),
            ("pw_name", OffsetOf<Syscalls.Passwd>("Name"), 8), ("pw_passwd", OffsetOf<Syscalls.Passwd>("Password"), 8),
            ("pw_uid", OffsetOf<Syscalls.Passwd>("Uid"), 4),
            ("pw_gid", OffsetOf<Syscalls.Passwd>("Gid"), 4), ("pw_gecos", OffsetOf<Syscalls.Passwd>("Gecos"), 8),
            ("pw_dir", OffsetOf<Syscalls.Passwd>("Directory"), 8),
            ("pw_shell", OffsetOf<Syscalls.Passwd>("Shell"), 8));
        program.Layout(
            "struct group", Unsafe.SizeOf<Syscalls.Group>(),
            ("gr_name", OffsetOf<Syscalls.Group>("Name"), 8), ("gr_passwd", OffsetOf<Syscalls.Group>("Password"), 8),
            ("gr_gid", OffsetOf<Syscalls.Group>("Gid"), 4),
            ("gr_mem", OffsetOf<Syscalls.Group>("Members"), 8));
        program.Layout(
            "struct stat", sizeof(stat),
            ("st_dev", Offset((ref stat value) => value.st_dev = 1), sizeof(dev_t)),
            ("st_ino", Offset((ref stat value) => value.st_ino = 1), sizeof(ino_t)),
            ("st_mode", Offset((ref stat value) => value.st_mode = 1), sizeof(mode_t)),
            ("st_uid", Offset((ref stat value) => value.st_uid = 1), sizeof(uid_t)),
            ("st_gid", Offset((ref stat value) => value.st_gid = 1), sizeof(gid_t)),
            ("st_nlink", Offset((ref stat value) => value.st_nlink = 1), sizeof(nlink_t)));
        program.Layout(
            "struct flock", Unsafe.SizeOf<FileLocks.FileLock>(),
            ("l_type", OffsetOf<FileLocks.FileLock>("Type"), 2), ("l_whence", OffsetOf<FileLocks.FileLock>("Whence"), 2),
            ("l_start", OffsetOf<FileLocks.FileLock>("Start"), 8),
            ("l_len", OffsetOf<FileLocks.FileLock>("Length"), 8), ("l_pid", OffsetOf<FileLocks.FileLock>("Pid"), 4));
        program.Equal("sizeof(struct sigaction)", sizeof(sigaction), "LibC");
        Assert.Empty(program.Compile());
    }

    /// <summary>Every constant in a class of kernel numbers is compared, or known as our own limit.</summary>
    [Fact]
    public void Every_constant_is_checked()
    {
        var known = SocketConstants.Concat(ProcessConstants).Select(row => (row.Type, row.Name)).Concat(OwnConstants).ToHashSet();
        var all =
            from assembly in new[] { typeof(DescriptorHandle).Assembly, typeof(ListenerFactory).Assembly }
            from type in assembly.GetTypes()
            where !type.IsEnum && type != typeof(KernelAbi)
                && type.Namespace is "Supervisor.Native" or "Supervisor.Linux.Listeners" or "Supervisor.Linux.Evidence"
            from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            where field.IsLiteral && field.FieldType != typeof(string)
            select (field.DeclaringType!, field.Name);
        Assert.Empty(all.Where(constant => !known.Contains(constant)).Select(constant => $"{constant.Item1.Name}.{constant.Name}"));
    }

    [Fact]
    public void A_wrong_number_does_not_compile()
    {
        var program = new AbiProgram(SocketHeaders);
        program.Equal("AF_UNIX", 2, "this test");
        Assert.Contains("AF_UNIX is not 2, as this test has it", program.Compile(), StringComparison.Ordinal);
    }

    private static long Constant(Type type, string name) => Convert.ToInt64(
        type.GetField(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)?.GetRawConstantValue()
            ?? throw new MissingFieldException(type.Name, name),
        System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The offset of a field that is private to another assembly: the position of its first byte that is set.</summary>
    private static long Offset<T>(SetField<T> set)
        where T : unmanaged
    {
        T value = default;
        set(ref value);
        return new Span<byte>(&value, sizeof(T)).IndexOfAnyExcept((byte)0);
    }

    private static long OffsetOf<T>(string field) => Marshal.OffsetOf<T>(field);

    private delegate void SetField<T>(ref T value);

    private static string UpperSnake(string name) =>
        string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? $"_{c}" : char.ToUpperInvariant(c).ToString()));
}
